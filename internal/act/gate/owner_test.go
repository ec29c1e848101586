package gate

import (
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"redkeep/internal/stage/cell"
)

// TestWithdrawLeavesNothing takes the table away once no group needs it, and not before.
func TestWithdrawLeavesNothing(t *testing.T) {
	cell.Open(t)
	s := serve(t, "127.0.0.1:0", false)
	h := hand(t, Config{})
	ports := []uint16{s.port}
	must(t, h.Set(group, Want{Ports: ports, Mode: Shut}))
	if gone, err := h.Withdraw(); gone || err != nil {
		t.Errorf("withdrawn from in front of a group that is shut: %v, %v", gone, err)
	}
	wantRefused(t, try(s.ln.Addr().String(), 0))
	must(t, h.Set(group, Want{Ports: ports, Mode: Absent}))
	if gone, err := h.Withdraw(); !gone || err != nil {
		t.Errorf("not withdrawn: %v, %v", gone, err)
	}
	must(t, h.Close())
	if out, err := nft(t, "list ruleset"); err != nil || out != "" {
		t.Errorf("left in the kernel: %s, %v", out, err)
	}
	must(t, try(s.ln.Addr().String(), 0))
}

// TestWhatSaysThatThereIsNoARP is the kernel's word, and not what somebody does to a table that is there.
func TestWhatSaysThatThereIsNoARP(t *testing.T) {
	for _, c := range []struct {
		existed bool
		err     error
		want    bool
	}{
		{false, unix.EOPNOTSUPP, true},
		{false, unix.EAFNOSUPPORT, true},
		{false, fmt.Errorf("write table: %w", unix.ENOENT), true},
		{true, fmt.Errorf("write table: %w", unix.ENOENT), false},
		{false, unix.EBUSY, false},
	} {
		if got := lacksFamily(c.existed, c.err); got != c.want {
			t.Errorf("%v, of a table that was there %v: %v", c.err, c.existed, got)
		}
	}
}

// TestKernelWithoutARP keeps the ports and the IPv6 address behind the gate where the kernel has no family arp, and says why the IPv4
// address is not.
func TestKernelWithoutARP(t *testing.T) {
	s := newSegment(t)
	h := hand(t, Config{arpless: true})
	e := serve(t, "10.52.0.1:0", false)
	want := Want{Ports: []uint16{e.port}, Addresses: []netip.Addr{vip4, vip6}, Mode: Shut}
	must(t, h.Set(group, want))
	if err := h.ARP(); !errors.Is(err, unix.EOPNOTSUPP) {
		t.Errorf("told of no family arp: %v", err)
	}
	must(t, h.Arm(group, 1, time.Minute))
	must(t, h.Activate(group, 1))
	must(t, try(e.ln.Addr().String(), 0))
	must(t, h.Set(group, want))
	wantRefused(t, try(e.ln.Addr().String(), 0))
	if !s.asksARP(vip4, netip.MustParseAddr("10.52.0.2")) {
		t.Error("the test is none: the address is covered")
	}
	st, err := h.State(group)
	must(t, err)
	if len(st.Want.Addresses) != 1 || st.Want.Addresses[0] != vip6 {
		t.Errorf("covered addresses: %v", st.Want.Addresses)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.intact() {
		t.Error("what was told is taken for damaged")
	}
}
