package sentinel

import (
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// far is a peer at an address.
type far struct {
	ear
	at string
}

func (f *far) Addrs() (remote, local string) { return f.at, "192.0.2.2:26379" }

// TestListenersLeavePlacesToSentinels: where all places are theirs, the one that has been silent for longest gives way.
func TestListenersLeavePlacesToSentinels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _ := NewLease(LeaseConfig{Picture: here}, 0)
		f := New(Config{Source: l, Clients: 1, OtherSentinel: func(netip.Addr) bool { return true }})
		peers := make([]*far, 1+PeerPlaces)
		for i := range peers {
			peers[i] = &far{at: "192.0.2.7:1"}
			c := f.Open(peers[i])
			if c == nil {
				t.Fatalf("client %d is turned away", i)
			}
			c.Receive([]byte("SUBSCRIBE +switch-master\r\n"))
			time.Sleep(time.Millisecond)
		}
		if f.Open(&far{at: "192.0.2.7:2"}) != nil {
			t.Error("one gives way that has just subscribed")
		}
		time.Sleep(peerSilence)
		if f.Open(&far{at: "192.0.2.7:2"}) == nil {
			t.Error("listeners keep a Sentinel out for ever")
		}
		for i, p := range peers {
			if p.closed != (i == 1) { // the first one has a common place
				t.Errorf("client %d: closed %v", i, p.closed)
			}
		}
	})
}

// TestClientsLeavePlacesToSentinels: however many there are, another Sentinel gets in, and who only has its address gives way to it.
func TestClientsLeavePlacesToSentinels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _ := NewLease(LeaseConfig{Picture: here}, 0)
		other := netip.MustParseAddr("192.0.2.7")
		f := New(Config{Source: l, Clients: 2, OtherSentinel: func(a netip.Addr) bool { return a == other }})
		open := func(at string) (*far, *Client) {
			p := &far{at: at}
			return p, f.Open(p)
		}
		_, first := open("192.0.2.1:1")
		open("192.0.2.7:1") // has a common place while there is one
		if p, c := open("192.0.2.1:2"); c != nil || !strings.Contains(p.take(), "max number of clients") || f.turnedAway != 1 {
			t.Errorf("a client more is served: %+v", p)
		}
		peers := make([]*far, PeerPlaces)
		clients := make([]*Client, PeerPlaces)
		for i := range peers {
			if peers[i], clients[i] = open("[::ffff:192.0.2.7]:2"); clients[i] == nil {
				t.Fatalf("Sentinel %d is turned away", i)
			}
		}
		if _, c := open("192.0.2.7:3"); c != nil {
			t.Error("one more has found a place, and all that have one have just come")
		}
		clients[1].Receive([]byte("SUBSCRIBE +switch-master\r\n"))
		time.Sleep(peerSilence)
		for i, c := range clients {
			if i > 2 {
				c.Receive([]byte("PING\r\n"))
			}
		}
		clients[0].Receive([]byte("PING\r\n"))
		if _, c := open("192.0.2.7:4"); c == nil || !peers[2].closed || peers[1].closed || peers[0].closed {
			t.Error("nobody gives way, or the wrong one does")
		}
		clients[2].Gone()
		if _, c := open("192.0.2.7:5"); c == nil || !peers[1].closed {
			t.Error("one that listens gives way to nobody, though all others have just asked for something")
		}
		clients[1].Gone()
		if _, c := open("192.0.2.7:5"); c != nil {
			t.Error("one gives way that has just asked for something")
		}
		clients[3].Gone()
		if _, c := open("192.0.2.7:6"); c == nil {
			t.Error("a place that is free again is not given")
		}
		first.Gone()
		if _, c := open("192.0.2.1:9"); c == nil || len(f.clients) != 2+PeerPlaces {
			t.Errorf("there are %d", len(f.clients))
		}
	})
}
