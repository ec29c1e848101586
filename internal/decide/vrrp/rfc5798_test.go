package vrrp

import (
	"net/netip"
	"testing"
	"time"

	"redkeep/internal/words"
)

// One test for each rule of RFC 5798, by its section.

func TestRFC5798Section5_1_1_3HopsMustBe255(t *testing.T) {
	b := began(t, three())
	b.pass(3 * time.Second)
	b.hear(above, 200, func(h *Heard) { h.Hops = 254 })
	b.masterAfter(609375 * time.Microsecond)
	b.hear(above, 200, func(h *Heard) { h.Hops = 254 })
	b.is(Master)
	if got := last[Report](b).Trouble; got.What != Distant || got.Theirs != "254" || got.Peer != above {
		t.Errorf("told of %v", got)
	}
}

func TestRFC5798Section5_1_2_3HopsMustBe255OverIPv6(t *testing.T) {
	b := master(t, three(six))
	b.hear(netip.MustParseAddr("fe80::6"), 200, toAll6, func(h *Heard) { h.Hops = 64 })
	b.is(Master)
	b.hear(netip.MustParseAddr("fe80::6"), 200, toAll6)
	b.is(Backup)
}

func six(r *Router) {
	r.Source, r.Addresses = netip.MustParseAddr("fe80::5"), []netip.Addr{netip.MustParseAddr("fe80::100"), netip.MustParseAddr("fd09::100")}
}

func toAll6(h *Heard) { h.To = netip.MustParseAddr("ff02::12") }

func TestRFC5798Section5_1WhereAdvertisementsGo(t *testing.T) {
	b := master(t, three())
	b.pass(time.Second)
	if got := last[Advertise](b); len(got.To) != 1 || got.To[0] != all4 || got.From != us {
		t.Errorf("from %v to %v", got.From, got.To)
	}
	b = master(t, three(six))
	b.pass(time.Second)
	if got := last[Advertise](b); len(got.To) != 1 || got.To[0] != netip.MustParseAddr("ff02::12") || got.From != netip.MustParseAddr("fe80::5") {
		t.Errorf("from %v to %v", got.From, got.To)
	}
}

func TestRFC5798Section5_2_3AnotherRoutersNumber(t *testing.T) {
	b := master(t, three())
	b.hear(above, 200, func(h *Heard) { h.Advert.VRID = 52 })
	b.hear(above, 200, func(h *Heard) { h.Link = "eth1" })
	b.is(Master)
	b.done()
}

func TestRFC5798Section6_1Skew(t *testing.T) {
	for _, c := range []struct {
		version, priority uint8
		interval, want    time.Duration
	}{
		{3, 254, time.Second, 7812500 * time.Nanosecond},
		{3, 100, time.Second, 609375 * time.Microsecond},
		{3, 100, 100 * time.Millisecond, 60937500 * time.Nanosecond},
		{3, 1, 40950 * time.Millisecond, 40950 * time.Millisecond * 255 / 256},
		{2, 100, time.Second, 609375 * time.Microsecond},
		{2, 100, 3 * time.Second, 609375 * time.Microsecond},
	} {
		if got := skew(c.version, c.priority, c.interval); got != c.want {
			t.Errorf("version %d, priority %d, interval %v: %v, want %v", c.version, c.priority, c.interval, got, c.want)
		}
	}
}

func TestRFC5798Section6_4_1OwnerClaimsAtOnce(t *testing.T) {
	b := began(t, three(priority(255)))
	b.is(Master)
	b.done("Probe", "Advertise", "Promote", "SetAddress", "Announce", "MASTER")
}

func TestRFC5798Section6_4_1OthersWaitForMasterDown(t *testing.T) {
	b := began(t, three())
	b.done("BACKUP")
	b.masterAfter(3*time.Second + 609375*time.Microsecond)
}

func TestRFC5798Section6_4_2MasterDownTimerFires(t *testing.T) {
	b := began(t, three())
	b.hear(above, 200)
	b.did = nil
	b.masterAfter(3*time.Second + 609375*time.Microsecond)
	b.done("Probe", "Advertise", "Promote", "SetAddress", "Announce", "MASTER")
}

func TestRFC5798Section6_4_2Shutdown(t *testing.T) {
	b := began(t, three())
	b.did = nil
	b.step(Stop{})
	b.is(Stopped)
	b.done("STOP")
	if b.m.Wake() != words.Never {
		t.Error("still has a timer")
	}
}

func TestRFC5798Section6_4_2PriorityZeroSetsTheTimerToSkew(t *testing.T) {
	b := began(t, three())
	b.hear(above, 200)
	b.hear(above, 0)
	b.masterAfter(609375 * time.Microsecond)
}

func TestRFC5798Section6_4_2WithoutPreemptionAnyMasterIsObeyed(t *testing.T) {
	b := began(t, three(func(r *Router) { r.NoPreempt = true }))
	for range 10 {
		b.pass(time.Second)
		b.hear(below, 1)
	}
	b.is(Backup)
}

func TestRFC5798Section6_4_2PriorityNotBelowIsObeyed(t *testing.T) {
	b := began(t, three())
	for range 10 {
		b.pass(time.Second)
		b.hear(below, 100)
	}
	b.is(Backup)
}

func TestRFC5798Section6_4_2LowerPriorityIsDiscarded(t *testing.T) {
	b := began(t, three())
	for range 3 {
		b.pass(time.Second)
		b.hear(above, 99)
	}
	b.masterAfter(609375 * time.Microsecond)
}

func TestRFC5798Section6_4_2TheMastersIntervalCounts(t *testing.T) {
	b := began(t, three())
	b.hear(above, 200, func(h *Heard) { h.Advert.Interval = 2 * time.Second })
	b.masterAfter(6*time.Second + 2*609375*time.Microsecond)
	b = began(t, three())
	b.hear(above, 200, func(h *Heard) { h.Advert.Interval = 100 * time.Millisecond })
	b.masterAfter(300*time.Millisecond + 60937500*time.Nanosecond)
}

func TestRFC5798Section6_4_3Shutdown(t *testing.T) {
	b := master(t, three())
	b.step(Stop{})
	b.is(Stopped)
	b.done("Demote", "DropAddress", "Leave", "STOP")
	if b.m.Wake() != words.Never {
		t.Error("still has a timer")
	}
}

func TestRFC5798Section6_4_3AdvertisesEachInterval(t *testing.T) {
	b := master(t, three())
	b.pass(10 * time.Second)
	if n := count[Advertise](b); n != 10 {
		t.Errorf("%d in 10 s", n)
	}
	if got := last[Advertise](b).Advert; got.Priority != 100 || got.VRID != 51 || got.Interval != time.Second || got.Version != 3 {
		t.Errorf("%+v", got)
	}
}

func TestRFC5798Section6_4_3PriorityZeroIsAnsweredAtOnce(t *testing.T) {
	b := master(t, three())
	b.pass(500 * time.Millisecond)
	b.did = nil
	b.hear(above, 0)
	b.is(Master)
	if n := count[Advertise](b); n != 1 {
		t.Errorf("%d answers", n)
	}
	b.did = nil
	b.pass(999 * time.Millisecond)
	if n := count[Advertise](b); n != 0 {
		t.Errorf("the timer was not set again: %d", n)
	}
}

func TestRFC5798Section6_4_3HigherPriorityIsYieldedTo(t *testing.T) {
	b := master(t, three())
	b.hear(below, 101, func(h *Heard) { h.Advert.Interval = 2 * time.Second })
	b.is(Backup)
	b.done("Demote", "DropAddress", "BACKUP")
	b.masterAfter(6*time.Second + 2*609375*time.Microsecond)
}

func TestRFC5798Section6_4_3EqualPriorityAndGreaterAddressIsYieldedTo(t *testing.T) {
	b := master(t, three())
	b.hear(below, 100)
	b.is(Master)
	b.hear(above, 100)
	b.is(Backup)
}

func TestRFC5798Section6_4_3LowerIsNotYieldedTo(t *testing.T) {
	b := master(t, three())
	b.pass(500 * time.Millisecond)
	b.hear(above, 99)
	b.is(Master)
}

// RFC 9568 has the answer that keepalived always gave.
func TestRFC9568Section6_4_3LowerIsAnsweredAtOnce(t *testing.T) {
	b := master(t, three())
	b.pass(100 * time.Millisecond)
	b.did = nil
	b.hear(above, 99)
	b.done("Advertise", "Contended", "Announce", "SetAddress")
	b.hear(above, 99)
	b.done() // Whoever says so a thousand times a second is not answered as often.
}

func TestRFC5798Section7_1AddressesMustMatch(t *testing.T) {
	b := began(t, three())
	b.pass(3 * time.Second)
	b.hear(above, 200, func(h *Heard) { h.Advert.Addresses = []netip.Addr{netip.MustParseAddr("10.9.0.101")} })
	if got := last[Report](b).Trouble.String(); got != "addresses of 10.9.0.6: 10.9.0.101, ours 10.9.0.100" {
		t.Error(got)
	}
	b.pass(2 * time.Second)
	b.is(Backup)
}

func TestRFC5798Section7_1VersionMustMatch(t *testing.T) {
	b := master(t, three())
	b.hear(above, 200, func(h *Heard) { h.Advert.Version = 2 })
	b.is(Master)
	if got := last[Report](b).Trouble.String(); got != "version of 10.9.0.6: 2, ours 3" {
		t.Error(got)
	}
}

func TestRFC5798Section7_1ChecksumMustBeRight(t *testing.T) {
	b := master(t, three())
	b.hear(above, 200, func(h *Heard) { h.Broken = "checksum 0x1 and not 0x2" })
	b.is(Master)
}

func TestRFC5798Section7_1OwnAdvertisementsAreNotHeard(t *testing.T) {
	b := master(t, three())
	b.hear(us, 200)
	b.is(Master)
	b.done()
}
