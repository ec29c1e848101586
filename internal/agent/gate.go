package agent

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os/user"
	"slices"
	"strconv"

	"redkeep/internal/act/gate"
	"redkeep/internal/decide"
	"redkeep/internal/speak/config"
	"redkeep/internal/words"
)

// openGate takes the kernel's gate over. A host without one runs on with a soft fence, and says so.
func (a *Agent) openGate(ctx context.Context) error {
	uids, err := a.exempt()
	if err != nil {
		return err
	}
	a.gate, err = gate.Open(ctx, gate.Config{ExemptUIDs: uids, OnDamage: a.onDamage, Log: a.log})
	switch {
	case err == nil:
		return nil
	case errors.Is(err, gate.ErrUnavailable):
		a.soft = err
		a.log.Warn("no gate: the fence is soft", "err", err)
		return nil
	default:
		return fmt.Errorf("take the gate over: %w", err)
	}
}

// exempt returns the user numbers of all groups' gate_exempt.
func (a *Agent) exempt() ([]uint32, error) {
	var uids []uint32
	for _, g := range a.opt.Config.Groups {
		for _, name := range g.GateExempt {
			id := name
			if _, err := strconv.ParseUint(name, 10, 32); err != nil {
				u, err := user.Lookup(name)
				if err != nil {
					return nil, fmt.Errorf("find the user %q of gate_exempt in group %s: %w; name a user of this host", name, g.Name, err)
				}
				id = u.Uid
			}
			n, err := strconv.ParseUint(id, 10, 32)
			if err != nil {
				return nil, fmt.Errorf("user %q of gate_exempt in group %s has no number: %w", name, g.Name, err)
			}
			uids = append(uids, uint32(n))
		}
	}
	return uids, nil
}

func (a *Agent) mark() uint32 {
	if a.gate == nil {
		return 0
	}
	return gate.DefaultMark
}

// gated reports whether the kernel judges this group's packets on this node.
func (a *Agent) gated(g *groupWork) bool {
	return a.gate != nil && g.conf.Gate != config.GateOff && g.conf.HasData(a.opt.Self.Name)
}

// gateFound is the gate as an earlier agent left it, and where; running says that it points at a slot that has not run out.
func (a *Agent) gateFound(g *groupWork) (found decide.GateState, running bool) {
	if !a.gated(g) {
		return found, false
	}
	if state, err := a.gate.State(g.conf.Name); err == nil && state.Want.Mode != gate.Absent {
		found, g.kept = stateFound(state.Want), state.Want.Ports
		running = found.Mode == decide.GateSlot && state.Open
	}
	return found, running
}

// keepPorts leaves the gate in front of the ports that it was found at, as far as the file gives them to no group. A file with another port
// moves no server: one that is a master on the old port must not stand there without a gate while the others elect another.
func (a *Agent) keepPorts() {
	for _, g := range a.groups {
		g.kept = slices.DeleteFunc(slices.Clone(g.kept), func(p uint16) bool {
			for _, other := range a.groups {
				if slices.Contains(other.conf.Server.Ports(), p) {
					return true
				}
			}
			return false
		})
		if len(g.kept) > 0 {
			a.log.Warn("the gate stays in front of a port that redkeep.yaml has no more, since the server may be there still; "+
				"it goes when this host is restarted", "group", g.conf.Name, "ports", g.kept)
		}
	}
}

// tellGates tells the kernel of all groups what was found of them. A port or an address that the file has given to another group is
// free for that once its first one has been told without it.
func (a *Agent) tellGates(found map[words.Group]decide.GateState) error {
	a.keepPorts()
	for left := a.order; len(left) > 0; {
		var again []words.Group
		var failed error
		for _, name := range left {
			if err := a.tellGate(a.groups[name], found[name]); err != nil {
				again = append(again, name)
				failed = errors.Join(failed, fmt.Errorf("make group %s known to the gate: %w", name, err))
			}
		}
		if len(again) == len(left) {
			return fmt.Errorf("%w; what a group that the file has no more has left here goes with: redkeep leave --here", failed)
		}
		left = again
	}
	return nil
}

// tellGate tells the kernel of one group once more, since the file may have changed: the machine knows no ports, no addresses, and
// not what is only watched, and takes a gate that is shut to be shut for all of them. One that the kernel has never heard of is made
// known to it, absent as it is, so that slots can be armed. One of a group that is to have none any more goes: nobody would renew
// its slot, and its port would be shut for good.
func (a *Agent) tellGate(g *groupWork, found decide.GateState) error {
	switch {
	case a.gate != nil && g.conf.Gate == config.GateOff:
		return a.gate.Remove(g.conf.Name)
	case !a.gated(g):
		return nil
	default:
		return a.gate.Set(g.conf.Name, want(g, found))
	}
}

// stateFound turns the kernel's state into a machine's. A timed opening stays one: taken for one without an end, it would not be
// renewed, and readers would be shut out when it runs out.
func stateFound(w gate.Want) decide.GateState {
	return decide.GateState{Mode: modeFound(w.Mode), Slot: w.Slot, For: w.For, Links: w.Peers}
}

func modeFound(m gate.Mode) decide.GateMode {
	switch m {
	case gate.Shut:
		return decide.GateShut
	case gate.Leased:
		return decide.GateSlot
	case gate.Opened:
		return decide.GateOpen
	case gate.ReplicationOnly:
		return decide.GateReplication
	default:
		return decide.GateAbsent
	}
}

// want turns a machine's state of the gate into the hand's.
func want(g *groupWork, s decide.GateState) gate.Want {
	w := gate.Want{Ports: append(g.conf.Server.Ports(), g.kept...), Slot: s.Slot, For: s.For, Watch: g.conf.Gate == config.GateWatch, Addresses: g.conf.Addresses()}
	switch s.Mode {
	case decide.GateShut:
		w.Mode = gate.Shut
	case decide.GateSlot:
		w.Mode = gate.Leased
	case decide.GateOpen:
		w.Mode = gate.Opened
	case decide.GateReplication:
		w.Mode = gate.ReplicationOnly
		w.Peers = append([]netip.AddrPort(nil), s.Links...)
	case decide.GateAbsent:
		w.Mode = gate.Absent
	}
	return w
}

// onDamage tells the machines that another program has changed the gate.
func (a *Agent) onDamage(d gate.Damage) {
	by := d.Program
	if d.PID != 0 {
		by = fmt.Sprintf("%s (pid %d)", by, d.PID)
	}
	a.damage.Store(&damage{by: by, at: awake(), left: d.Err})
	a.log.Error("another program changed the gate", "by", by, "restored_in", d.Took, "err", d.Err)
	for _, name := range a.order {
		g := a.groups[name]
		if a.gated(g) {
			f := a.damage.Load().fence()
			a.post(name, decide.GateSeen{Broken: true, By: by, Fence: f.level, Why: f.why, Bare: a.bare(g) != nil})
		}
	}
}
