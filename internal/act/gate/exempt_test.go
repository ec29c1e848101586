package gate

import (
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"redkeep/internal/stage/cell"
)

func TestAgentPassesShutGate(t *testing.T) {
	here := cell.Open(t)
	there := neighbour(t, here)
	s := serve(t, "[::]:0", false)
	h := hand(t, Config{})
	must(t, h.Set(group, Want{Ports: []uint16{s.port}, Mode: Shut}))
	for _, r := range routes {
		// A mark is this host's own affair. And a socket that is bound to a device, as one for link-local addresses is, is not
		// found for the reply, which comes by the loopback device: no address that an agent uses is of that kind.
		if r.far || strings.HasPrefix(r.address, "fe80") {
			wantRefused(t, r.try(there, s.port, DefaultMark))
			continue
		}
		must(t, r.try(there, s.port, DefaultMark))
		must(t, r.try(there, s.port, DefaultMark|0x17)) // Only the masked bits count.
		wantRefused(t, r.try(there, s.port, 0))
		wantRefused(t, r.try(there, s.port, 0x51000000))
	}
}

func TestExemptUserPasses(t *testing.T) {
	here := cell.Open(t)
	there := neighbour(t, here)
	s := serve(t, "[::]:0", false)
	h := hand(t, Config{ExemptUIDs: []uint32{0}})
	must(t, h.Set(group, Want{Ports: []uint16{s.port}, Mode: Shut}))
	for _, r := range routes {
		if err := r.try(there, s.port, 0); r.far {
			wantRefused(t, err)
		} else {
			must(t, err)
		}
	}
	must(t, h.Close())

	hand(t, Config{ExemptUIDs: []uint32{12345}}) // Another structure: replaced, with the group staying shut.
	for _, ip := range []string{"127.0.0.1", "::1"} {
		wantRefused(t, try(net.JoinHostPort(ip, strconv.Itoa(int(s.port))), 0))
		must(t, try(net.JoinHostPort(ip, strconv.Itoa(int(s.port))), DefaultMark))
	}
}

// TestResetsPassShutGate resets a connection from both of its ends: letting go has to cut blocked clients off.
func TestResetsPassShutGate(t *testing.T) {
	here := cell.Open(t)
	there := neighbour(t, here)
	s := serve(t, "[::]:0", true)
	h := hand(t, Config{})
	for _, r := range routes {
		for _, byServer := range []bool{true, false} {
			must(t, h.Set(group, Want{Ports: []uint16{s.port}, Mode: Opened}))
			client, err := r.dial(there, s.port, 0)
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
	here := cell.Open(t)
	there := neighbour(t, here)
	s := serve(t, "[::]:0", false)
	h := hand(t, Config{})
	must(t, h.Set("other", Want{Ports: []uint16{6380}, Mode: Opened}))
	must(t, h.Set(group, Want{Ports: []uint16{s.port}, Mode: Shut}))
	there(func() {
		d := net.Dialer{LocalAddr: &net.TCPAddr{Port: 6380}}
		for _, ip := range []string{"10.52.0.1", "fd52::1"} {
			_, err := d.Dial("tcp", net.JoinHostPort(ip, strconv.Itoa(int(s.port))))
			wantRefused(t, err)
		}
	})
}
