package gate

import "testing"

// TestWithdrawLeavesNothing takes the table away once no group needs it, and not before.
func TestWithdrawLeavesNothing(t *testing.T) {
	namespace(t)
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
