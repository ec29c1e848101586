package gate

import (
	"fmt"
	"net"
	"testing"
)

func TestAgentPassesShutGate(t *testing.T) {
	here := namespace(t)
	there := neighbour(t, here)
	s := serve(t, "0.0.0.0:0", false)
	h := hand(t, Config{})
	must(t, h.Set(group, Want{Ports: []uint16{s.port}, Mode: Shut}))
	for _, ip := range []string{"127.0.0.1", "10.52.0.1"} {
		addr := fmt.Sprintf("%s:%d", ip, s.port)
		must(t, try(addr, DefaultMark))
		must(t, try(addr, DefaultMark|0x17)) // Only the masked bits count.
		wantRefused(t, try(addr, 0))
		wantRefused(t, try(addr, 0x51000000))
	}
	// A mark is this host's own affair.
	there(func() { wantRefused(t, try(fmt.Sprintf("10.52.0.1:%d", s.port), DefaultMark)) })
}

func TestExemptUserPasses(t *testing.T) {
	namespace(t)
	s := serve(t, "127.0.0.1:0", false)
	h := hand(t, Config{ExemptUIDs: []uint32{0}})
	must(t, h.Set(group, Want{Ports: []uint16{s.port}, Mode: Shut}))
	must(t, try(s.ln.Addr().String(), 0))
	must(t, h.Close())

	h = hand(t, Config{ExemptUIDs: []uint32{12345}}) // Another structure: replaced, with the group staying shut.
	wantRefused(t, try(s.ln.Addr().String(), 0))
	must(t, try(s.ln.Addr().String(), DefaultMark))
}

// TestOpenPortOfClientLetsNobodyIn is why the two sides of a conversation have chains of their own: a client that binds
// a port which is open here must not pass by it.
func TestOpenPortOfClientLetsNobodyIn(t *testing.T) {
	here := namespace(t)
	there := neighbour(t, here)
	s := serve(t, "0.0.0.0:0", false)
	h := hand(t, Config{})
	must(t, h.Set("other", Want{Ports: []uint16{6380}, Mode: Opened}))
	must(t, h.Set(group, Want{Ports: []uint16{s.port}, Mode: Shut}))
	there(func() {
		d := net.Dialer{LocalAddr: &net.TCPAddr{Port: 6380}}
		_, err := d.Dial("tcp", fmt.Sprintf("10.52.0.1:%d", s.port))
		wantRefused(t, err)
	})
}
