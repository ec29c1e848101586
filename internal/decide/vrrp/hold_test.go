package vrrp

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"redkeep/internal/words"
)

// mismatches are peers that are alive and can't be accepted. Each made a second master of keepalived.
var mismatches = map[string]struct {
	router func(...func(*Router)) Router
	change func(*Heard)
	want   string
}{
	"password":  {two, func(h *Heard) { h.Advert.Secret = words.NewSecret("test") }, "password of 10.9.0.6"},
	"auth":      {two, func(h *Heard) { h.Advert.Auth = NoAuth }, "authentication of 10.9.0.6: none, ours PASS"},
	"interval":  {two, func(h *Heard) { h.Advert.Interval = 2 * time.Second }, "interval of 10.9.0.6: 2s, ours 1s"},
	"version":   {three, func(h *Heard) { h.Advert.Version = 2 }, "version of 10.9.0.6: 2, ours 3"},
	"addresses": {three, func(h *Heard) { h.Advert.Addresses = nil }, "addresses of 10.9.0.6, ours 10.9.0.100"},
	"sum":       {three, func(h *Heard) { h.Advert.PlainSum = true }, "checksum of 10.9.0.6: without pseudo-header, ours with pseudo-header"},
	"cast":      {three, func(h *Heard) { h.To = us }, "unicast or multicast of 10.9.0.6: unicast, ours multicast"},
	"broken":    {three, func(h *Heard) { h.Broken = "checksum" }, "advertisement unreadable of 10.9.0.6: checksum"},
}

func TestHoldsBackWhileAPeerCanNotBeAccepted(t *testing.T) {
	for name, c := range mismatches {
		t.Run(name, func(t *testing.T) {
			b := began(t, c.router())
			for range 20 {
				b.pass(time.Second)
				b.hear(above, 50, c.change)
			}
			b.is(Backup)
			if v := b.view(); !v.Held {
				t.Errorf("does not say that it holds back: %+v", v)
			}
			if n, got := count[Report](b), last[Report](b).Trouble.String(); n != 1 || got != c.want {
				t.Errorf("told %d times: %s", n, got)
			}
			// It ends when the peer has been silent for as long as a master may be.
			b.pass(7*time.Second + 700*time.Millisecond)
			b.is(Master)
			if v := b.view(); v.Held || len(v.Troubles) != 0 || !last[Report](b).Over {
				t.Errorf("it is not over: %+v", v)
			}
		})
	}
}

func TestHoldEndsWhenThePeerIsMended(t *testing.T) {
	b := began(t, two())
	for range 5 {
		b.pass(time.Second)
		b.hear(above, 50, mismatches["password"].change)
	}
	b.hear(above, 150)
	if v := b.view(); len(v.Troubles) != 0 || v.Master != above {
		t.Errorf("%+v", v)
	}
}

func TestHoldEndsWhenThePeerLeaves(t *testing.T) {
	b := began(t, two())
	for range 5 {
		b.pass(time.Second)
		b.hear(above, 50, mismatches["interval"].change)
	}
	b.hear(above, 0, mismatches["interval"].change)
	b.masterAfter(609375 * time.Microsecond)
}

func TestAMasterGoesOnBesideAPeerThatItCanNotAccept(t *testing.T) {
	b := master(t, two())
	b.hear(above, 255, mismatches["password"].change)
	b.is(Master)
	if v := b.view(); len(v.Troubles) != 1 {
		t.Errorf("not told: %+v", v)
	}
}

// TestTwoThatCanNotUnderstandEachOtherRise is that the greater of them stays, at any step before it stands.
func TestTwoThatCanNotUnderstandEachOtherRise(t *testing.T) {
	for _, delayed := range []func(*bench){delay[Probe], delay[Advertise], delay[Promote], delay[SetAddress]} {
		lesser, greater := began(t, two()), began(t, two())
		for b, peer := range map[*bench]Heard{
			lesser:  lesser.said(above, 100, mismatches["password"].change),
			greater: greater.said(below, 100, mismatches["password"].change),
		} {
			delayed(b)
			b.pass(3610 * time.Millisecond)
			b.step(peer)
			for range 4 {
				if len(b.owing) > 0 {
					b.answer("")
				}
			}
		}
		lesser.is(Backup)
		if !greater.view().Held { // Which was no master yet when it heard of the other.
			greater.is(Master)
		}
		lesser.did = nil
		lesser.pass(3 * time.Second)
		if count[Advertise](lesser) != 0 {
			t.Error("it claims while the other is alive")
		}
	}
}

func TestAMasterAsksAboutWhomItCanNotUnderstand(t *testing.T) {
	b := master(t, two(func(r *Router) { r.Asks = true }))
	delay[Ask](b)
	b.hear(above, 200, mismatches["password"].change)
	b.is(Master)
	b.answer("")
	b.is(Backup)
	b.pass(3 * time.Second)
	b.is(Backup)
}

func TestStrangersAndDistantsHoldNobodyBack(t *testing.T) {
	b := began(t, three())
	c := began(t, three(unicast))
	for range 3 {
		b.pass(time.Second)
		b.hear(above, 255, func(h *Heard) { h.Hops = 64 })
		c.pass(time.Second)
		c.hear(netip.MustParseAddr("10.9.0.66"), 255)
	}
	b.masterAfter(609375 * time.Microsecond)
	c.masterAfter(609375 * time.Microsecond)
}

// TestAnUnlistedRouterHoldsBack is a file that names one router too few, and does not say what of those that it doesn't name: what they say is not
// believed, and this host is no second master beside one. Who speaks from beyond the segment may be anybody.
func TestAnUnlistedRouterHoldsBack(t *testing.T) {
	stranger := netip.MustParseAddr("10.9.0.66")
	mind := func(r *Router) { r.MindStrangers = true }
	b, c := began(t, three(unicast, mind)), began(t, three(unicast, mind))
	for range 10 {
		b.pass(time.Second)
		b.hear(stranger, 255)
		c.pass(time.Second)
		c.hear(stranger, 255, func(h *Heard) { h.Hops = 254 })
	}
	b.is(Backup)
	if got := b.view(); !got.Held || got.Master.IsValid() || len(got.Troubles) != 1 || got.Troubles[0].What != Unlisted || got.Troubles[0].Peer != stranger {
		t.Errorf("held back by %+v", got)
	}
	c.is(Master)
	b.pass(4 * time.Second)
	b.is(Master)
	b.hear(stranger, 255) // Who stands is ended by nobody but a peer.
	b.is(Master)
	b.hear(above, 255)
	b.is(Backup)
}

func TestACrowdOfStrangersHidesNobody(t *testing.T) {
	b := began(t, three(unicast))
	for i := range 200 {
		b.hear(netip.MustParseAddr(fmt.Sprintf("10.9.1.%d", i)), 255)
	}
	b.hear(above, 50, func(h *Heard) { h.Advert.Version = 2 })
	for i := range 200 {
		b.hear(netip.MustParseAddr(fmt.Sprintf("10.9.2.%d", i)), 255)
	}
	if n := len(b.view().Troubles); n != mostRivals {
		t.Errorf("%d are remembered", n)
	}
	b.pass(3*time.Second + 607*time.Millisecond)
	b.hear(above, 50, func(h *Heard) { h.Advert.Version = 2 })
	b.pass(time.Second)
	b.is(Backup)
}

func TestPasswordsAreNotTold(t *testing.T) {
	b := began(t, two())
	b.hear(above, 50, func(h *Heard) { h.Advert.Secret = words.NewSecret("hunter2") })
	b.pass(5 * time.Second)
	for _, a := range b.did {
		if s := fmt.Sprintf("%v %+v %#v", a, a, a); strings.Contains(s, "redis123") || strings.Contains(s, "hunter2") {
			t.Errorf("%s", s)
		}
	}
}

// unicast has two peers.
func unicast(r *Router) { r.Peers = []netip.Addr{below, above} }

func TestUnicast(t *testing.T) {
	b := master(t, three(unicast))
	b.pass(time.Second)
	if got := last[Advertise](b).To; len(got) != 2 || got[0] != below || got[1] != above {
		t.Errorf("sent to %v", got)
	}
	b.hear(netip.MustParseAddr("10.9.0.66"), 255)
	b.is(Master)
	if got := last[Report](b).Trouble; got.What != Stranger {
		t.Error(got)
	}
	b.hear(above, 255, func(h *Heard) { h.To = all4 })
	b.is(Master)
	if got := last[Report](b).Trouble; got.What != OtherCast {
		t.Error(got)
	}
	b.hear(above, 255, func(h *Heard) { h.Hops = 7 }) // Peers may be beyond a router.
	b.is(Backup)
}

func TestOnlyTheMasterCanLeave(t *testing.T) {
	b := began(t, three())
	b.hear(above, 200)
	b.hear(below, 0)
	b.pass(3 * time.Second)
	b.is(Backup)
	b.hear(above, 0)
	b.masterAfter(609375 * time.Microsecond)
}

func TestPreemptDelay(t *testing.T) {
	b := began(t, three(func(r *Router) { r.PreemptDelay = 10 * time.Second }))
	second := func() { b.hear(above, 50); b.pass(time.Second) }
	for range 10 {
		second()
		b.is(Backup)
	}
	// Obeyed for the last time at 9 s.
	for range 2 {
		second()
	}
	b.is(Backup)
	second()
	b.is(Master)
	// Who is obeyed for its priority begins the delay anew.
	b.hear(above, 200)
	b.hear(above, 50)
	b.pass(2 * time.Second)
	second()
	b.is(Backup)
}

// TestAnySourceIsBelievedAndNamed is keepalived's default in unicast: whoever speaks to this host alone may end its mastership.
func TestAnySourceIsBelievedAndNamed(t *testing.T) {
	stranger := netip.MustParseAddr("10.9.0.77")
	b := master(t, three(unicast, func(r *Router) { r.AnySource = true }))
	b.hear(stranger, 255, func(h *Heard) { h.To = b.m.routers[0].conf.Source })
	b.is(Backup)
	found := false
	for _, a := range b.did {
		r, is := a.(Report)
		found = found || is && r.Trouble.What == Stranger && r.Trouble.Peer == stranger
	}
	if !found {
		t.Errorf("did %v", b.did)
	}
}

// TestAPeerIsHeardFromAsFarAsItsLineSays is keepalived's min_ttl and max_ttl.
func TestAPeerIsHeardFromAsFarAsItsLineSays(t *testing.T) {
	for hops, want := range map[int]State{63: Master, 64: Backup, 200: Backup, 201: Master} {
		b := master(t, three(unicast, func(r *Router) { r.Reach = []Reach{{64, 200}, {64, 200}, {64, 200}} }))
		b.hear(above, 200, func(h *Heard) { h.To, h.Hops = b.m.routers[0].conf.Source, hops })
		b.is(want)
	}
}
