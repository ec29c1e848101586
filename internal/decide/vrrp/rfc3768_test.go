package vrrp

import (
	"testing"
	"time"

	"redkeep/internal/words"
)

// One test for each rule of RFC 3768 that is not RFC 5798's, by its section; and for those that the versions share, that they hold
// for version 2, too.

func TestRFC3768Section5_2_3HopsMustBe255(t *testing.T) {
	b := master(t, two())
	b.hear(above, 200, func(h *Heard) { h.Hops = 1 })
	b.is(Master)
}

func TestRFC3768Section5_3_6AuthenticationMustMatch(t *testing.T) {
	b := master(t, two())
	b.hear(above, 200, func(h *Heard) { h.Advert.Auth, h.Advert.Secret = NoAuth, words.Secret{} })
	b.is(Master)
	if got := last[Report](b).Trouble.String(); got != "authentication of 10.9.0.6: none, ours PASS" {
		t.Error(got)
	}
}

func TestRFC2338Section10_2PasswordMustMatch(t *testing.T) {
	b := master(t, two())
	b.hear(above, 200, func(h *Heard) { h.Advert.Secret = words.NewSecret("another") })
	b.is(Master)
	if got := last[Report](b).Trouble.String(); got != "password of 10.9.0.6" {
		t.Error(got)
	}
	b.hear(above, 200, func(h *Heard) { h.Advert.Secret = words.NewSecret("redis123 and what is cut off") })
	b.is(Backup)
}

func TestRFC3768Section6_1MasterDownInterval(t *testing.T) {
	if got := masterDown(3, 2, 100, 2*time.Second); got != 6*time.Second+609375*time.Microsecond {
		t.Error(got)
	}
}

func TestRFC3768Section6_4_1OwnerClaimsAtOnce(t *testing.T) {
	b := began(t, two(priority(255)))
	b.done("Probe", "Advertise", "Promote", "SetAddress", "Announce", "MASTER")
}

func TestRFC3768Section6_4_1OthersWaitForMasterDown(t *testing.T) {
	b := began(t, two())
	b.masterAfter(3*time.Second + 609375*time.Microsecond)
}

func TestRFC3768Section6_4_2PriorityZeroSetsTheTimerToSkew(t *testing.T) {
	b := began(t, two(priority(254)))
	b.hear(above, 254)
	b.hear(above, 0)
	b.masterAfter(7812500 * time.Nanosecond)
}

func TestRFC3768Section6_4_2Preemption(t *testing.T) {
	b, calm := began(t, two()), began(t, two(func(r *Router) { r.NoPreempt = true }))
	for range 3 {
		b.pass(time.Second)
		b.hear(above, 99)
		calm.pass(time.Second)
		calm.hear(above, 99)
	}
	b.masterAfter(609375 * time.Microsecond)
	calm.pass(time.Second)
	calm.is(Backup)
}

func TestRFC3768Section6_4_3Shutdown(t *testing.T) {
	b := master(t, two())
	b.step(Stop{})
	b.done("Demote", "DropAddress", "Leave", "STOP")
}

func TestRFC3768Section6_4_3Election(t *testing.T) {
	b := master(t, two())
	b.hear(above, 0)
	b.is(Master)
	b.hear(above, 99)
	b.is(Master)
	b.hear(below, 100)
	b.is(Master)
	b.hear(above, 100)
	b.is(Backup)
	b.masterAfter(3*time.Second + 609375*time.Microsecond)
	b.hear(below, 101)
	b.is(Backup)
}

func TestRFC3768Section7_1IntervalMustMatch(t *testing.T) {
	b := master(t, two())
	b.hear(above, 200, func(h *Heard) { h.Advert.Interval = 2 * time.Second })
	b.is(Master)
	if got := last[Report](b).Trouble.String(); got != "interval of 10.9.0.6: 2s, ours 1s" {
		t.Error(got)
	}
}

func TestRFC3768Section7_1AddressesMustMatch(t *testing.T) {
	b := master(t, two())
	b.hear(above, 200, func(h *Heard) { h.Advert.Addresses = nil })
	b.is(Master)
}
