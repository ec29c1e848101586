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

// makePlace ends the connection in a reserved place that has been silent for longest, if that is long enough. Those who listen are silent
// by nature, so they go last; but they go, or they would keep the places for ever: a Sentinel subscribes to nothing at another one.
func (f *Face) makePlace() bool {
	var longest *Client
	for c := range f.reserved {
		if time.Since(c.at) >= peerSilence && (longest == nil || c.goesBefore(longest)) {
			longest = c
		}
	}
	if longest == nil {
		return false
	}
	delete(f.reserved, longest)
	longest.expel(false)
	return true
}

// goesBefore reports whether a silent client gives its place to another sooner than a second one does.
func (c *Client) goesBefore(other *Client) bool {
	if listens := c.subscriptions() > 0; listens != (other.subscriptions() > 0) {
		return !listens
	}
	return c.at.Before(other.at)
}
