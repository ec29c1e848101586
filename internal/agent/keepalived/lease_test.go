package keepalived

import (
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"redkeep/internal/act/gate"
	"redkeep/internal/decide/vrrp"
	"redkeep/internal/speak/keepalivedconf"
	"redkeep/internal/stage/cell"
)

const fastOnEth0 = "vrrp_instance a {\ninterface eth0\nversion 3\nadvert_int 0.2\nvirtual_router_id 1\npriority 255\nvirtual_ipaddress {\n10.77.0.100\n}\n}\n"

// TestALeaseEndsBeforeOthersTakeOver holds the inequality for each interval that there is, and that two advertisements are less than a term.
func TestALeaseEndsBeforeOthersTakeOver(t *testing.T) {
	for interval := 10 * time.Millisecond; interval < 4*time.Second; interval += 10 * time.Millisecond {
		c := keepalivedconf.Instance{AdvertInt: interval, DownTimerAdverts: 3}
		term := termOf(&c)
		switch {
		case interval < 20*time.Millisecond:
			if term != 0 || unleased(&c) == "" {
				t.Errorf("%v: a term of %v, and %q", interval, term, unleased(&c))
			}
		case interval%time.Second == 0 || term == 0:
			if term != 0 || unleased(&c) != "" || gone(interval) > 3*interval {
				t.Errorf("%v: a term of %v, and %q, where the kernel takes the address off after %v", interval, term, unleased(&c), gone(interval))
			}
		case term <= 2*interval || term+lateJiffies*jiffy >= 3*interval:
			t.Errorf("%v: a term of %v", interval, term)
		}
	}
	for _, interval := range []time.Duration{200 * time.Millisecond, time.Second, 10 * time.Second} {
		for fewer := 1; fewer < 3; fewer++ {
			impatient := keepalivedconf.Instance{AdvertInt: interval, DownTimerAdverts: fewer}
			if termOf(&impatient) != 0 || unleased(&impatient) != "down_timer_adverts is below 3" {
				t.Errorf("%v, where %d advertisements are all that may be missed: a term of %v, and %q", interval, fewer, termOf(&impatient), unleased(&impatient))
			}
		}
	}
}

// answers reports whether what is sent to an address of this host arrives; an address that is not here does not answer.
func answers(t *testing.T, addr string) bool {
	t.Helper()
	server, err := net.ListenPacket("udp4", addr+":0")
	if err != nil {
		return false
	}
	defer func() { must(t, server.Close()) }()
	client, err := net.Dial("udp4", server.LocalAddr().String())
	must(t, err)
	defer func() { must(t, client.Close()) }()
	_, err = client.Write([]byte("here?"))
	must(t, err)
	must(t, server.SetReadDeadline(time.Now().Add(20*time.Millisecond)))
	_, _, err = server.ReadFrom(make([]byte, 16))
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal(err)
	}
	return err == nil
}

// TestAnAddressAnswersWhileAdvertisementsAreSent has a master whose loop stands still: its address is silent, while it is still on its device.
// When the loop goes on the master has lost it, and becomes one anew.
func TestAnAddressAnswersWhileAdvertisementsAreSent(t *testing.T) {
	cell.Open(t)
	cable(t, "eth0", "10.77.0.1/24")
	d := opened(t, fastOnEth0)
	d.until("a to be the master", d.is("a", vrrp.Master))
	begun := now()
	d.until("six intervals", func() bool {
		if !answers(t, "10.77.0.100") {
			t.Errorf("silent %v after its begin", now().Sub(begun))
			return true
		}
		return now().Sub(begun) > 1200*time.Millisecond
	})
	<-time.After(3 * 200 * time.Millisecond)
	if answers(t, "10.77.0.100") {
		t.Error("it answers after nothing was sent for three intervals")
	}
	d.until("a to be no master", func() bool { return !d.is("a", vrrp.Master)() })
	d.until("a to be one again", d.is("a", vrrp.Master))
	d.until("an answer", func() bool { return answers(t, "10.77.0.100") })

	// At an interval of a second the lives of addresses do, and nothing is in the way.
	d.reload(parsed(t, strings.Replace(fastOnEth0, "0.2", "1", 1)))
	if l := d.routers["a"].lease; l.before() != noSlot || !answers(t, "10.77.0.100") {
		t.Error("judged at an interval of a second")
	}
	d.leaving = true
	d.step(vrrp.Stop{})
	d.until("a to be gone", d.stopped)
}

// TestOrdersOfAnEarlierLifeArmNothing takes a lease through more advertisements than intervals, a point that fails, and a fall.
func TestOrdersOfAnEarlierLifeArmNothing(t *testing.T) {
	cell.Open(t)
	g, err := gate.OpenAddresses(slog.New(slog.DiscardHandler))
	must(t, err)
	t.Cleanup(func() { must(t, g.Close()) })
	l := newLease(slog.New(slog.DiscardHandler))
	l.cover([]netip.Addr{netip.MustParseAddr("10.77.0.100")}, nil)
	if l.before() != noSlot || l.due() {
		t.Fatal("a lease without a gate")
	}
	fast := &keepalivedconf.Instance{AdvertInt: 900 * time.Millisecond}
	l.rule(g, fast)
	want := func(what string, got, want int) {
		t.Helper()
		if got != want {
			t.Errorf("%s: slot %d, want %d", what, got, want)
		}
	}
	want("the claim", l.before(), 0)
	l.sent(0)
	want("before the address is on", l.before(), 1)
	l.sent(1)
	order, outcome := l.point()
	want("while the next slot is on its way", l.before(), noSlot)
	outcome(order())
	want("the spare", l.before(), 0)
	want("an advertisement that did not leave", l.before(), 0)
	l.sent(0)
	want("another one, before the address is pointed at it", l.before(), noSlot)
	order, outcome = l.point()
	outcome(false, false) // as if the kernel had refused
	want("the one that is not in force", l.before(), 0)
	l.sent(0)
	_, late := l.point()
	l.fallen()
	if pointed, armed := order(); pointed || armed {
		t.Error("an order of an earlier life was carried out")
	}
	late(true, true)
	want("the next life: 1 may still be in force", l.before(), 0)
	l.release()
	l.rule(nil, fast)
	want("without a gate", l.before(), noSlot)
}

// TestAnAddressThatIsLeftStaysJudged takes addresses out of a lease, of which one could not be taken off its device.
func TestAnAddressThatIsLeftStaysJudged(t *testing.T) {
	cell.Open(t)
	g, err := gate.OpenAddresses(slog.New(slog.DiscardHandler))
	must(t, err)
	t.Cleanup(func() { must(t, g.Close()) })
	l := newLease(slog.New(slog.DiscardHandler))
	left, off := netip.MustParseAddr("10.77.0.100"), netip.MustParseAddr("10.77.0.101")
	l.cover([]netip.Addr{left, off}, nil)
	l.rule(g, &keepalivedconf.Instance{AdvertInt: 200 * time.Millisecond})
	must(t, g.Point([]netip.Addr{left, off}, 0, time.Minute))
	l.cover(nil, []netip.Addr{left})
	l.release() // It is about none any more.
	must(t, g.Arm([]netip.Addr{off}, 0, time.Second))
	if err := g.Arm([]netip.Addr{left}, 0, time.Second); !errors.Is(err, gate.ErrActive) {
		t.Errorf("what is left on its device is judged no more: %v", err)
	}
	if err := g.Remove(); !errors.Is(err, gate.ErrJudged) {
		t.Errorf("the gate was taken away with it: %v", err)
	}
	must(t, g.Release([]netip.Addr{left}))
	must(t, g.Remove())
}
