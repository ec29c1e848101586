package gate

import (
	"fmt"
	"net"
	"testing"
	"time"
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

// TestResetsPassShutGate resets a connection from both of its ends: letting go has to cut blocked clients off.
func TestResetsPassShutGate(t *testing.T) {
	here := namespace(t)
	there := neighbour(t, here)
	s := serve(t, "0.0.0.0:0", true)
	h := hand(t, Config{})
	for _, ip := range []string{"127.0.0.1", "10.52.0.1"} {
		for _, byServer := range []bool{true, false} {
			must(t, h.Set(group, Want{Ports: []uint16{s.port}, Mode: Opened}))
			var client net.Conn
			var err error
			connect := func() { client, err = dial(fmt.Sprintf("%s:%d", ip, s.port), 0) }
			if ip == "127.0.0.1" {
				connect()
			} else {
				there(connect)
			}
			must(t, err)
			ends := [2]net.Conn{client, <-s.conn}
			if byServer {
				ends[0], ends[1] = ends[1], ends[0]
			}
			must(t, h.Set(group, Want{Ports: []uint16{s.port}, Mode: Shut}))
			must(t, ends[0].(*net.TCPConn).SetLinger(0)) // Its close is a reset.
			must(t, ends[0].Close())
			must(t, ends[1].SetReadDeadline(time.Now().Add(patience)))
			_, err = ends[1].Read(make([]byte, 1))
			wantRefused(t, err)
			must(t, ends[1].Close())
		}
	}
}

func TestMarkOfNobodyIsRefused(t *testing.T) {
	for _, cfg := range []Config{{Mark: 1}, {Mask: 1}, {Mark: 2, Mask: 1}} {
		if h, err := Open(t.Context(), cfg); err == nil {
			t.Errorf("%+v exempts everybody: %v", cfg, h.Close())
		}
	}
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
