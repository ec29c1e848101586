package agent

import (
	"context"
	"net/netip"
	"slices"

	"redkeep/internal/act/flows"
	"redkeep/internal/act/vip"
	"redkeep/internal/speak/config"
	"redkeep/internal/words"
)

// dropLeftovers takes off the addresses that an agent before this one has left and that its group has no more, by the file: the
// gate, which knows them, is about to be told of others, and the kernel would answer for them until their life is over.
func (a *Agent) dropLeftovers(ctx context.Context) {
	if a.gate == nil {
		return
	}
	states, err := a.gate.States()
	if err != nil {
		a.log.Warn("the gate could not be read", "err", err)
		return
	}
	for _, s := range states {
		if _, known := a.opt.Config.Group(s.Group); !known && s.Group != probeGroup {
			a.log.Warn("the gate has a group that the file has not, and nobody minds it: what is shut there stays shut; "+
				"put it back, start the agents anew, and leave it before it goes from the file: redkeep leave --group NAME", "group", s.Group, "ports", s.Want.Ports, "mode", s.Want.Mode)
		}
		old := slices.DeleteFunc(slices.Clone(s.Want.Addresses), func(addr netip.Addr) bool { return a.inFile(s.Group, addr) })
		if len(old) == 0 {
			continue
		}
		ctx, cancel := context.WithTimeout(ctx, orderBudget)
		if _, err := flows.Destroy(ctx, s.Want.Ports, flows.Keep{But: old}); err != nil {
			a.log.Warn("connections on an address that the file has no more could not be reset", "group", s.Group, "err", err)
		}
		cancel()
		gone, err := vip.TakeOff(old)
		if err != nil {
			a.log.Warn("an address that the file has no more could not be taken off", "group", s.Group, "err", err)
		}
		if len(gone) > 0 {
			a.log.Info("addresses taken off that the file has no more", "group", s.Group, "addrs", gone)
		}
	}
}

// inFile reports whether a group has an address.
func (a *Agent) inFile(name words.Group, addr netip.Addr) bool {
	g, _ := a.opt.Config.Group(name)
	return slices.ContainsFunc(g.VIPs, func(v config.VIP) bool { return v.Addr == addr })
}
