package sentinel

import (
	"net/netip"
	"time"
)

// PeerPlaces is how many connections from the addresses of other Sentinels are served beside Config.Clients: however many clients there
// are, they keep nobody from asking for a vote. Those who run a Sentinel need one connection each.
const PeerPlaces = 32

// peerSilence is after how long one of these gives its place to another: applications may run beside a Sentinel, which itself asks for
// something each second.
const peerSilence = 10 * time.Second

// mayCome reports whether there is room for a connection, and whether that is one of the places for other Sentinels.
func (f *Face) mayCome(p Peer) (reserved, ok bool) {
	if len(f.clients)-len(f.reserved) < f.config.Clients {
		return false, true
	}
	if f.config.OtherSentinel == nil {
		return false, false
	}
	remote, _ := p.Addrs()
	at, err := netip.ParseAddrPort(remote)
	if err != nil || !f.config.OtherSentinel(at.Addr().Unmap()) {
		return false, false
	}
	return true, len(f.reserved) < PeerPlaces || f.makePlace()
}

// makePlace ends the connection in a reserved place that has been silent for longest, if that is long enough.
func (f *Face) makePlace() bool {
	var longest *Client
	for c := range f.reserved {
		if c.subscriptions() == 0 && (longest == nil || c.at.Before(longest.at)) {
			longest = c
		}
	}
	if longest == nil || time.Since(longest.at) < peerSilence {
		return false
	}
	delete(f.reserved, longest)
	longest.expel(false)
	return true
}
