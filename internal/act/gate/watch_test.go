package gate

import (
	"errors"
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"

	"redkeep/internal/stage/cell"
	"redkeep/internal/stage/need"
)

// nft runs the nft program in the present namespace.
func nft(t testing.TB, line string) (string, error) {
	t.Helper()
	path, err := exec.LookPath("nft")
	if err != nil {
		need.Program(t, "needs the nft program")
	}
	out, err := exec.Command(path, strings.Fields(line)...).CombinedOutput()
	return string(out), err
}

func TestFlushIsRestored(t *testing.T) {
	cell.Open(t)
	s := serve(t, "127.0.0.1:0", false)
	seen := make(chan Damage, 16)
	h := hand(t, Config{unowned: true, OnDamage: func(d Damage) { seen <- d }})
	must(t, h.Set("other", Want{Ports: []uint16{s.port}, Mode: Shut}))
	must(t, h.Set(group, Want{Ports: []uint16{6379}, Mode: Shut}))
	must(t, h.Arm(group, 4, 2*time.Second))
	armed := time.Now()
	must(t, h.Activate(group, 4))
	for _, line := range []string{
		"flush ruleset", "delete table inet redkeep", "flush table inet redkeep", "flush chain inet redkeep shut_requests",
		"flush map inet redkeep requests",
	} {
		if out, err := nft(t, line); err != nil {
			t.Fatal(out, err)
		}
		select {
		case d := <-seen:
			t.Logf("%s: restored after %v, done by %s (pid %d)", line, d.Took, d.Program, d.PID)
			if d.Err != nil || d.Program != "nft" || d.PID == 0 {
				t.Errorf("%s: %+v", line, d)
			}
		case <-time.After(2 * time.Second):
			t.Fatal(line, "was not noticed")
		}
		wantRefused(t, try(s.ln.Addr().String(), 0))
	}
	end := 2*time.Second - time.Since(armed)
	st, err := h.State(group)
	must(t, err)
	if st.Left > end+jiffies || st.Left == 0 {
		t.Errorf("restored slot has %v left of %v", st.Left, end)
	}
}

// TestOwnedTableWithstandsFlush is what owner and persist are for.
func TestOwnedTableWithstandsFlush(t *testing.T) {
	cell.Open(t)
	s := serve(t, "127.0.0.1:0", false)
	addr := s.ln.Addr().String()
	h := hand(t, Config{})
	must(t, h.Set(group, Want{Ports: []uint16{s.port}, Mode: Shut}))
	if out, err := nft(t, "flush ruleset"); err != nil {
		t.Fatal(out, err)
	}
	wantRefused(t, try(addr, 0))
	if _, err := nft(t, "delete table inet redkeep"); err == nil {
		t.Error("another program deleted an owned table")
	}
	if _, err := Open(t.Context(), Config{}); !errors.Is(err, ErrOwned) {
		t.Errorf("a second owner got %v", err)
	}
	must(t, h.Arm(group, 5, 300*time.Millisecond))
	must(t, h.Activate(group, 5))
	c, err := dial(addr, 0)
	must(t, err)
	must(t, h.Close())
	must(t, say(c, "the owner is gone, the element lives"))

	h = hand(t, Config{})
	must(t, say(c, "adopted"))
	st, err := h.State(group)
	must(t, err)
	if st.Want.Mode != Leased || st.Want.Slot != 5 || st.Left <= 0 || st.Left > 300*time.Millisecond {
		t.Errorf("adopted %+v", st)
	}
	if err := h.Arm(group, 5, time.Second); !errors.Is(err, ErrActive) {
		t.Errorf("the adopted slot was armed: %v", err)
	}
	must(t, h.Set(group, Want{Ports: []uint16{s.port}, Mode: Shut}))
	wantRefused(t, say(c, "shut by the new owner"))
}

// TestFailedTransactionIsMended damages a table that nobody watches: the first call fails, the next tells everything.
func TestFailedTransactionIsMended(t *testing.T) {
	cell.Open(t)
	s := serve(t, "127.0.0.1:0", false)
	h := hand(t, Config{unowned: true})
	want := Want{Ports: []uint16{s.port}, Mode: Shut}
	for _, call := range []func() error{
		func() error { return h.Arm(group, 1, time.Second) },
		func() error { return h.Activate(group, 2) },
		func() error { return h.Set(group, Want{Ports: want.Ports, Mode: Opened, For: time.Hour}) },
	} {
		must(t, h.Set(group, want))
		if out, err := nft(t, "flush ruleset"); err != nil {
			t.Fatal(out, err)
		}
		if call() == nil {
			t.Error("nothing failed")
		}
		must(t, call())
		must(t, h.Set(group, want))
		wantRefused(t, try(s.ln.Addr().String(), 0))
	}
}

// TestLateRestorationOpensNothing stops a restoration, as a process may be, for longer than is left of the slot.
func TestLateRestorationOpensNothing(t *testing.T) {
	for _, line := range []string{"flush ruleset", "flush map inet redkeep requests"} {
		t.Run(line, func(t *testing.T) {
			cell.Open(t)
			s := serve(t, "127.0.0.1:0", false)
			ports, slow := []uint16{s.port}, false
			h := hand(t, Config{unowned: true, pause: func() {
				if slow {
					<-time.After(400 * time.Millisecond)
				}
			}})
			must(t, h.Set(group, Want{Ports: ports, Mode: Shut}))
			must(t, h.Arm(group, 1, 300*time.Millisecond))
			must(t, h.Activate(group, 1))
			if out, err := nft(t, line); err != nil {
				t.Fatal(out, err)
			}
			slow = true
			h.mu.Lock()
			err := h.restore()
			h.mu.Unlock()
			must(t, err)
			wantRefused(t, try(s.ln.Addr().String(), 0))
			slow = false
			must(t, h.Arm(group, 2, time.Second))
			must(t, h.Activate(group, 2))
			must(t, try(s.ln.Addr().String(), 0))
		})
	}
}

// TestReplicationSurvivesModes changes all modes around a replication connection.
func TestReplicationSurvivesModes(t *testing.T) {
	here := cell.Open(t)
	there := neighbour(t, here)
	s := serve(t, "[::]:0", false)
	h := hand(t, Config{})
	ports := []uint16{s.port}
	peers := Want{Ports: ports, Mode: ReplicationOnly}
	links := map[string]net.Conn{}
	for _, r := range routes {
		c, err := r.dial(there, s.port, 0)
		must(t, err)
		links[r.name] = c
		peers.Peers = append(peers.Peers, c.LocalAddr().(*net.TCPAddr).AddrPort())
	}
	must(t, h.Set(group, Want{Ports: ports, Mode: Absent}))
	must(t, h.Arm(group, 0, time.Minute))
	for _, want := range []Want{
		{Ports: ports, Mode: Opened}, {Ports: ports, Mode: Leased}, peers, {Ports: ports, Mode: Leased}, peers,
		{Ports: ports, Mode: Opened, For: time.Minute}, {Ports: ports, Mode: Opened, For: time.Minute}, peers,
	} {
		must(t, h.Set(group, want))
		for name, c := range links {
			must(t, say(c, name))
		}
	}
	for _, r := range routes {
		wantRefused(t, r.try(there, s.port, 0))
	}
	st, err := h.State(group)
	must(t, err)
	if len(st.Want.Peers) != len(routes) || st.Refused == 0 {
		t.Errorf("state %+v", st)
	}
	must(t, h.Set(group, Want{Ports: ports, Mode: Shut}))
	for name, c := range links {
		wantRefused(t, say(c, name))
	}
}
