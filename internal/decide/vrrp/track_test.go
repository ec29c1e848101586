package vrrp

import (
	"net/netip"
	"slices"
	"testing"
	"time"
)

func tracks(list ...Track) func(*Router) { return func(r *Router) { r.Tracks = list } }

func TestWaitsForTheFirstResultOfEachCheck(t *testing.T) {
	b := began(t, three(tracks(Track{Name: "eth0"}, Track{Name: "redis", Weight: 10})))
	b.step(Tracked{"eth0", true})
	b.pass(time.Minute)
	b.is(Initialize)
	b.step(Tracked{"redis", true})
	b.is(Backup)
	b.done("BACKUP")
}

func TestFaults(t *testing.T) {
	b := newBench(t, three(tracks(Track{Name: "eth0"}, Track{Name: "maintenance", Reverse: true})))
	b.step(Tracked{"eth0", true})
	b.step(Tracked{"maintenance", false})
	b.done()
	b.step(Began{})
	b.pass(4 * time.Second)
	b.is(Master)
	b.did = nil
	b.step(Tracked{"eth0", false})
	b.is(Fault)
	b.done("Demote", "DropAddress", "Leave", "FAULT")
	b.pass(time.Minute)
	b.hear(above, 0)
	b.is(Fault)
	b.step(Tracked{"eth0", true})
	b.done("BACKUP")
	b.masterAfter(3*time.Second + 609375*time.Microsecond)
	b.step(Tracked{"maintenance", true})
	b.is(Fault)
}

func TestAFaultThatPassesOnTheWayDown(t *testing.T) {
	b := newBench(t, three(tracks(Track{Name: "redis"})))
	b.step(Tracked{"redis", true})
	b.step(Began{})
	b.pass(4 * time.Second)
	b.did = nil
	delay[Demote](b)
	b.step(Tracked{"redis", false})
	b.step(Tracked{"redis", true})
	b.is(Fault)
	b.answer("")
	b.done("Demote", "DropAddress", "Leave", "FAULT", "BACKUP")
}

func TestWeights(t *testing.T) {
	for _, c := range []struct {
		base   uint8
		track  Track
		passed bool
		want   uint8
	}{
		{100, Track{Weight: 20}, true, 120},
		{100, Track{Weight: 20}, false, 100},
		{100, Track{Weight: -20}, true, 100},
		{100, Track{Weight: -20}, false, 80},
		{100, Track{Weight: 20, Reverse: true}, true, 100},
		{100, Track{Weight: 20, Reverse: true}, false, 120},
		{100, Track{Weight: -20, Reverse: true}, true, 80},
		{250, Track{Weight: 20}, true, 254},
		{10, Track{Weight: -20}, false, 1},
		{255, Track{Weight: -20}, false, 255},
	} {
		c.track.Name = "redis"
		b := newBench(t, three(priority(c.base), tracks(c.track)))
		b.step(Tracked{"redis", c.passed})
		if got := b.view().Priority; got != c.want {
			t.Errorf("%d, %+v, passed %v: %d, want %d", c.base, c.track, c.passed, got, c.want)
		}
	}
}

// TestNotPassed is what keeps a router from what it is without it: nothing that passes, and no weight where weights don't count.
func TestNotPassed(t *testing.T) {
	list := tracks(Track{Name: "eth0"}, Track{Name: "maintenance", Reverse: true}, Track{Name: "redis", Weight: -60}, Track{Name: "load", Weight: 5})
	member := three(priority(100), list)
	for name, c := range map[string]struct {
		setup  Setup
		weight int
	}{
		"alone":                      {Setup{Routers: []Router{member}}, 1},
		"an owner":                   {Setup{Routers: []Router{three(priority(255), list)}}, 0},
		"in a group without weights": {Setup{Routers: []Router{member}, Groups: []Group{{Members: []ID{member.ID}}}}, 0},
		"in a group with weights":    {Setup{Routers: []Router{member}, Groups: []Group{{Members: []ID{member.ID}, Weights: true}}}, 1},
	} {
		b := newBenchOf(t, c.setup)
		b.step(Tracked{"eth0", false})
		b.step(Tracked{"maintenance", false})
		b.step(Tracked{"redis", false})
		want := []NotPassed{{Name: "eth0", Fault: true}, {Name: "redis", Weight: -60 * c.weight}, {Name: "load", Pending: true, Weight: 5 * c.weight}}
		if got := b.view().NotPassed; !slices.Equal(got, want) {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
		b.step(Tracked{"eth0", true})
		b.step(Tracked{"maintenance", true})
		b.step(Tracked{"redis", true})
		b.step(Tracked{"load", true})
		if got := b.view().NotPassed; !slices.Equal(got, []NotPassed{{Name: "maintenance", Fault: true}}) {
			t.Errorf("%s: %+v of those that pass", name, got)
		}
	}
}

func TestAWeightDecidesTheElection(t *testing.T) {
	b := newBench(t, three(tracks(Track{Name: "redis", Weight: -60})))
	b.step(Tracked{"redis", true})
	b.step(Began{})
	b.pass(4 * time.Second)
	b.step(Tracked{"redis", false})
	b.pass(time.Second)
	if got := last[Advertise](b).Advert.Priority; got != 40 {
		t.Errorf("advertises %d", got)
	}
	b.hear(below, 90)
	b.is(Backup)
}

func TestWithoutAnAddressOfItsOwnItIsFaulty(t *testing.T) {
	b := began(t, three(func(r *Router) { r.Source = netip.Addr{} }))
	b.pass(time.Minute)
	b.is(Initialize)
	b.step(Sourced{"redis", us})
	b.is(Backup)
	b.pass(4 * time.Second)
	b.is(Master)
	b.step(Sourced{"redis", netip.Addr{}})
	b.is(Fault)
	if got := last[Advertise](b); got.Advert.Priority != leaving || got.From != us {
		t.Errorf("its last word is %+v", got) // from the address that it had
	}
}

// pair is two routers that move together, and one that does not.
func pair(t *testing.T) *bench {
	a := three(priority(100), tracks(Track{Name: "eth0"}))
	c := three(func(r *Router) { r.ID, r.VRID, r.Link = "other", 52, "eth1" }, priority(50), tracks(Track{Name: "eth1"}, Track{Name: "load", Weight: 30}))
	single := three(func(r *Router) { r.ID, r.VRID, r.Link = "single", 53, "eth2" })
	b := newBenchOf(t, Setup{Routers: []Router{a, c, single}, Groups: []Group{{Members: []ID{"redis", "other"}}}})
	for _, name := range []string{"eth0", "eth1", "load"} {
		b.step(Tracked{name, true})
	}
	b.step(Began{})
	return b
}

func (b *bench) are(want ...State) {
	b.t.Helper()
	for i, v := range b.m.View() {
		if v.State != want[i] {
			b.t.Fatalf("%s is %v, want %v", v.ID, v.State, want[i])
		}
	}
}

func TestAGroupRisesTogether(t *testing.T) {
	b := pair(t)
	b.are(Backup, Backup, Backup)
	b.pass(3*time.Second + 610*time.Millisecond) // The other's own timer would take 0.2 s longer.
	b.are(Master, Master, Master)
}

func TestAGroupFallsTogether(t *testing.T) {
	b := pair(t)
	b.pass(4 * time.Second)
	b.hear(above, 200)
	b.are(Backup, Backup, Master)
	b.pass(3*time.Second + 610*time.Millisecond)
	b.are(Master, Master, Master)
}

func TestAGroupIsFaultyTogether(t *testing.T) {
	b := pair(t)
	b.pass(4 * time.Second)
	b.did = nil
	b.step(Tracked{"eth1", false})
	b.are(Fault, Fault, Master)
	b.step(Tracked{"eth1", true})
	b.are(Backup, Backup, Master)
}

func TestWeightsDoNotCountInGroups(t *testing.T) {
	b := pair(t)
	b.step(Tracked{"load", true})
	if got := b.m.View()[1].Priority; got != 50 {
		t.Errorf("priority %d", got)
	}
}

func TestWeightsCountInGroupsWhereTheyAreWantedTo(t *testing.T) {
	a := three(tracks(Track{Name: "load", Weight: 30}))
	b := newBenchOf(t, Setup{Routers: []Router{a}, Groups: []Group{{Members: []ID{"redis"}, Weights: true}}})
	b.step(Tracked{"load", true})
	if got := b.view().Priority; got != 130 {
		t.Errorf("priority %d", got)
	}
}

func TestAGroupHoldsBackTogether(t *testing.T) {
	b := pair(t)
	for range 8 {
		b.pass(time.Second)
		b.step(Heard{Link: "eth1", From: above, To: all4, Hops: 255, Advert: Advert{Version: 2, VRID: 52, Priority: 9}})
	}
	b.are(Backup, Backup, Master)
}

// TestAGroupThatWouldPart is that what one must not become, the others are not either.
func TestAGroupThatWouldPart(t *testing.T) {
	b := pair(t)
	delay[Probe](b)
	b.pass(3*time.Second + 610*time.Millisecond)
	b.answer("") // redis
	b.are(Master, Backup, Backup)
	b.step(Heard{Link: "eth1", From: above, To: all4, Hops: 255, Advert: Advert{Version: 2, VRID: 52, Priority: 9}})
	b.are(Backup, Backup, Backup)
}

func TestAGroupWhoseMemberCanNotRise(t *testing.T) {
	b := pair(t)
	delay[Probe](b)
	b.pass(3*time.Second + 610*time.Millisecond)
	b.answer("") // redis
	b.answer("") // single
	b.are(Master, Backup, Master)
	for range 30 { // other
		if len(b.owing) > 0 {
			b.answer("02:00:00:00:00:01")
		}
		b.pass(50 * time.Millisecond)
	}
	b.are(Backup, Backup, Master)
}
