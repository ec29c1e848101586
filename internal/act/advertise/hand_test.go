package advertise

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"redkeep/internal/speak/advert"
	"redkeep/internal/stage/cell"
	"redkeep/internal/words"
)

// said is an advertisement of each kind, with where it goes from the first host to the second.
func said() map[string]struct {
	a        advert.Advert
	from, to netip.Addr
} {
	four, six := []netip.Addr{netip.MustParseAddr("10.77.0.100")}, []netip.Addr{netip.MustParseAddr("fe80::100")}
	two := advert.Advert{Version: 2, VRID: 51, Priority: 100, Interval: time.Second, Addresses: four, Auth: advert.Password, Secret: words.NewSecret("redis")}
	three := advert.Advert{Version: 3, VRID: 52, Priority: 100, Interval: 100 * time.Millisecond, Addresses: four}
	over6 := three
	over6.Addresses = six
	return map[string]struct {
		a        advert.Advert
		from, to netip.Addr
	}{
		"version 2":            {two, here4, advert.Group4()},
		"version 3":            {three, here4, advert.Group4()},
		"version 3, unicast":   {three, here4, there4},
		"version 3, IPv6":      {over6, here6, advert.Group6()},
		"IPv6 and unicast too": {over6, here6, there6},
	}
}

func TestFromOneHostToAnother(t *testing.T) {
	here, there := twoHosts(t)
	for name, c := range said() { // No subtests: their goroutines have other threads, which are in no host.
		there.Enter()
		_, heard := open(t, c.from.Is6())
		here.Enter()
		h, own := open(t, c.from.Is6())
		must(t, h.Send(&c.a, c.from, c.to))
		got := next(t, heard)
		if got.Err != nil || got.From != c.from || got.To != c.to || got.Hops != 255 || got.Advert.VRID != c.a.VRID || got.Advert.Addresses[0] != c.a.Addresses[0] {
			t.Errorf("%s: heard %+v", name, got)
		}
		must(t, h.SendWithin(&c.a, c.from, c.to, 7))
		want := 7
		if c.to.IsMulticast() {
			want = 255
		}
		if got := next(t, heard); got.Err != nil || got.Hops != want {
			t.Errorf("%s: sent with 7 hops, heard %+v", name, got)
		}
		select {
		case e := <-own:
			t.Errorf("%s: heard itself: %+v", name, e)
		default:
		}
	}
}

// TestWhatIsBrokenIsHeard is why the kernel is not left to look at IPv6's checksum.
func TestWhatIsBrokenIsHeard(t *testing.T) {
	here, there := twoHosts(t)
	for name, c := range said() {
		there.Enter()
		_, heard := open(t, c.from.Is6())
		here.Enter()
		h, _ := open(t, c.from.Is6())
		h.mu.Lock()
		h.message = c.a.Append(h.message[:0], c.from, c.to)
		h.message[6]++
		h.address(c.from, c.to)
		err := errors.Join(h.conn.Control(h.post), h.failed)
		h.mu.Unlock()
		must(t, err)
		got := next(t, heard)
		var flaw *advert.Flaw
		if !errors.As(got.Err, &flaw) || flaw.Fault != advert.WrongChecksum || got.From != c.from || got.Advert.VRID != c.a.VRID {
			t.Errorf("%s: heard %+v", name, got)
		}
	}
}

func TestSendSaysWhenNothingLeft(t *testing.T) {
	twoHosts(t)
	c := said()["version 3"]
	h, _ := open(t, false)
	if err := h.Send(&c.a, netip.MustParseAddr("10.77.0.9"), c.to); err == nil {
		t.Error("sent from an address that is not here")
	}
	if err := h.Send(&c.a, here6, c.to); !errors.Is(err, ErrFamily) {
		t.Error(err)
	}
	if err := h.Send(&c.a, netip.Addr{}, c.to); !errors.Is(err, ErrFamily) {
		t.Error(err)
	}
	must(t, netlink.LinkSetDown(cell.Device(t, "eth0")))
	if err := h.Send(&c.a, c.from, c.to); err == nil {
		t.Error("sent on a device that is down")
	}
	cell.Raise(t, "eth0")
	await(t, "the device", func() bool { return h.Send(&c.a, c.from, c.to) == nil })
}

// TestSurvivesALinkThatGoesDown is that a membership outlives it.
func TestSurvivesALinkThatGoesDown(t *testing.T) {
	here, there := twoHosts(t)
	for _, name := range []string{"version 3", "version 3, IPv6"} {
		c := said()[name]
		there.Enter()
		_, heard := open(t, c.from.Is6())
		must(t, netlink.LinkSetDown(cell.Device(t, "eth0")))
		cell.Raise(t, "eth0")
		here.Enter()
		h, _ := open(t, c.from.Is6())
		await(t, "what is said", func() bool {
			_ = h.Send(&c.a, c.from, c.to) // Fails while the cable's end is down.
			return len(heard) > 0
		})
	}
}

func TestSendAllocatesNothing(t *testing.T) {
	twoHosts(t)
	for name, c := range said() {
		h, _ := open(t, c.from.Is6())
		if n := testing.AllocsPerRun(100, func() { must(t, h.Send(&c.a, c.from, c.to)) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	twoHosts(t)
	for _, dev := range []string{"eth7", strings.Repeat("x", 40)} {
		if _, err := Open(Config{Dev: dev}); !errors.Is(err, unix.ENODEV) || !strings.Contains(err.Error(), "ip link") {
			t.Error(err)
		}
	}
}

func TestCloseEndsRun(t *testing.T) {
	twoHosts(t)
	h, err := Open(Config{Dev: "eth0"})
	must(t, err)
	done := make(chan error, 1)
	go func() { done <- h.Run(context.Background()) }() // Ends with the hand.
	must(t, h.Close())
	select {
	case err := <-done:
		must(t, err)
	case <-time.After(testPatience):
		t.Error("Run did not end")
	}
}
