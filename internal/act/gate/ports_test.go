package gate

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"redkeep/internal/stage/cell"
)

// TestTwoPortsAreOne has a server with a plain and a TLS port: nothing ever opens or shuts one without the other.
func TestTwoPortsAreOne(t *testing.T) {
	cell.Open(t)
	plain, secret := serve(t, "127.0.0.1:0", false), serve(t, "127.0.0.1:0", false)
	seen := make(chan Damage, 16)
	h := hand(t, Config{unowned: true, OnDamage: func(d Damage) { seen <- d }})
	ports := []uint16{plain.port, secret.port}
	all := func(when string, open bool) {
		t.Helper()
		for _, s := range []*echo{plain, secret} {
			if err := try(s.ln.Addr().String(), 0); open && err != nil {
				t.Errorf("%s: port %d: %v", when, s.port, err)
			} else if !open {
				wantRefused(t, err)
			}
		}
	}
	for _, mode := range []Mode{Shut, Opened, Leased, Absent, ReplicationOnly} {
		must(t, h.Set(group, Want{Ports: ports, Mode: mode}))
		all(mode.String(), mode == Opened || mode == Absent)
	}
	must(t, h.Set(group, Want{Ports: ports, Mode: Opened, For: time.Minute}))
	all("for a time", true)
	must(t, h.Arm(group, 5, 2*time.Second))
	armed := time.Now()
	must(t, h.Activate(group, 5))
	all("leased", true)
	if out, err := nft(t, "flush ruleset"); err != nil {
		t.Fatal(out, err)
	}
	must(t, (<-seen).Err)
	all("restored", true)
	st, err := h.State(group)
	must(t, err)
	if len(st.Want.Ports) != 2 || !st.Open || st.Left == 0 || st.Left > 2*time.Second-time.Since(armed)+jiffies {
		t.Errorf("%+v", st)
	}
	<-time.After(time.Until(armed.Add(2*time.Second + jiffies)))
	all("run out", false)
}

// TestPortIsAddedToLease adds a port while a slot runs: the other one is not disturbed, and the next beat has both.
func TestPortIsAddedToLease(t *testing.T) {
	cell.Open(t)
	plain, secret := serve(t, "127.0.0.1:0", false), serve(t, "127.0.0.1:0", false)
	h := hand(t, Config{})
	must(t, h.Set(group, Want{Ports: []uint16{plain.port}, Mode: Shut}))
	must(t, h.Arm(group, 0, time.Minute))
	must(t, h.Activate(group, 0))
	c, err := dial(plain.ln.Addr().String(), 0)
	must(t, err)
	both := Want{Ports: []uint16{plain.port, secret.port}, Mode: Leased}
	must(t, h.Set(group, both))
	must(t, say(c, "undisturbed"))
	wantRefused(t, try(secret.ln.Addr().String(), 0)) // No lease has been asked for with it.
	must(t, h.Arm(group, 1, time.Minute))
	both.Slot = 1
	must(t, h.Set(group, both))
	must(t, say(c, "undisturbed"))
	must(t, try(secret.ln.Addr().String(), 0))
	must(t, h.Set(group, Want{Ports: both.Ports[:1], Mode: Leased, Slot: 1}))
	must(t, say(c, "undisturbed"))
	must(t, try(secret.ln.Addr().String(), 0)) // Nobody's any more.
}

// TestPeersOfTwoPorts lets replication through on whichever port it came by.
func TestPeersOfTwoPorts(t *testing.T) {
	cell.Open(t)
	h := hand(t, Config{})
	want := Want{Mode: ReplicationOnly}
	var links []net.Conn
	for range 2 {
		s := serve(t, "127.0.0.1:0", false)
		c, err := dial(s.ln.Addr().String(), 0)
		must(t, err)
		links, want.Ports = append(links, c), append(want.Ports, s.port)
		want.Peers = append(want.Peers, netip.MustParseAddrPort(c.LocalAddr().String()))
	}
	must(t, h.Set(group, want))
	for _, c := range links {
		must(t, say(c, "passes"))
	}
	st, err := h.State(group)
	must(t, err)
	if len(st.Want.Peers) != 2 {
		t.Errorf("%+v", st.Want)
	}
}
