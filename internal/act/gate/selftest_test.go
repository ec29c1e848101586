package gate

import (
	"errors"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"redkeep/internal/stage/cell"
	"redkeep/internal/words"
)

func TestSelfTestMeasures(t *testing.T) {
	cell.Open(t)
	h := hand(t, Config{})
	res, err := h.SelfTest(t.Context())
	must(t, err)
	t.Logf("%+v", res)
	if res.Through == 0 || res.Late > jiffies || res.Reset < res.Through {
		t.Errorf("measured %+v", res)
	}
	if states, err := h.States(); err != nil || len(states) != 0 {
		t.Errorf("left behind: %v, %v", states, err)
	}
}

func TestSelfTestFindsLeak(t *testing.T) {
	cell.Open(t)
	h := hand(t, Config{unowned: true})
	for _, chain := range []string{"shut_requests", "shut_replies"} {
		if out, err := nft(t, "flush chain inet redkeep "+chain); err != nil {
			t.Fatal(out, err)
		}
	}
	if _, err := h.SelfTest(t.Context()); !errors.Is(err, ErrLeaks) {
		t.Errorf("got %v", err)
	}
}

func TestSelfTestFindsLeakOfOneFamily(t *testing.T) {
	for _, family := range []string{"ipv4", "ipv6"} {
		t.Run(family, func(t *testing.T) {
			cell.Open(t)
			h := hand(t, Config{unowned: true})
			for _, chain := range []string{"shut_requests", "shut_replies"} {
				if out, err := nft(t, "insert rule inet redkeep "+chain+" meta nfproto "+family+" accept"); err != nil {
					t.Fatal(out, err)
				}
			}
			if _, err := h.SelfTest(t.Context()); !errors.Is(err, ErrLeaks) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestSelfTestThatComesTooLate is kept from running, as on a starved host: that is no finding about the kernel.
func TestSelfTestThatComesTooLate(t *testing.T) {
	cell.Open(t)
	for _, late := range []int{selfTests - 1, selfTests} {
		left := late
		h := hand(t, Config{stall: func() {
			if left > 0 {
				left--
				<-time.After(selfTestFor + jiffies)
			}
		}})
		if _, err := h.SelfTest(t.Context()); errors.Is(err, ErrLeaks) || (err == nil) != (late < selfTests) {
			t.Errorf("%d of %d too late: %v", late, selfTests, err)
		}
		must(t, h.Close())
	}
}

func TestApplyAndShowWithoutAgent(t *testing.T) {
	cell.Open(t)
	s := serve(t, "127.0.0.1:0", false)
	view, err := Show(t.Context())
	must(t, err)
	if view.Exists {
		t.Errorf("nothing is there: %+v", view)
	}
	must(t, Apply(t.Context(), Config{}, map[words.Group]Want{
		group: {Ports: []uint16{s.port}, Mode: Shut}, "users": {Ports: []uint16{6390, 6391}, Mode: Shut, Watch: true},
	}))
	wantRefused(t, try(s.ln.Addr().String(), 0))
	must(t, Apply(t.Context(), Config{}, map[words.Group]Want{
		group: {Ports: []uint16{s.port}, Mode: Opened, For: time.Second},
	}))
	must(t, try(s.ln.Addr().String(), 0))
	view, err = Show(t.Context())
	must(t, err)
	if !view.Exists || view.Owned || len(view.States) != 2 || view.States[0].Left == 0 || !view.States[1].Want.Watch {
		t.Errorf("%+v", view)
	}
	h := hand(t, Config{})
	if err := Apply(t.Context(), Config{}, nil); !errors.Is(err, ErrOwned) {
		t.Errorf("beside an agent: %v", err)
	}
	view, err = Show(t.Context())
	must(t, err)
	if !view.Owned {
		t.Error("an agent's table is shown as nobody's")
	}
	must(t, h.Remove("users"))
	<-time.After(1100 * time.Millisecond)
	wantRefused(t, try(s.ln.Addr().String(), 0))
}

// TestWithoutRightIsUnavailable gives the capability up on this thread for a moment.
func TestWithoutRightIsUnavailable(t *testing.T) {
	cell.Open(t)
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var caps, fewer [2]unix.CapUserData
	must(t, unix.Capget(&header, &caps[0]))
	fewer = caps
	fewer[0].Effective &^= 1 << unix.CAP_NET_ADMIN
	must(t, unix.Capset(&header, &fewer[0]))
	defer func() { must(t, unix.Capset(&header, &caps[0])) }()
	if h, err := Open(t.Context(), Config{}); !errors.Is(err, ErrUnavailable) {
		t.Errorf("opened %v, %v", h, err)
	}
	if _, err := Show(t.Context()); !errors.Is(err, ErrUnavailable) {
		t.Errorf("showed: %v", err)
	}
}
