package vrrp

import (
	"testing"
	"time"
)

func TestAnotherConfigurationKeepsTheMaster(t *testing.T) {
	b := master(t, three())
	b.step(Configured{Setup{Routers: []Router{three(priority(150), func(r *Router) { r.Interval = 500 * time.Millisecond })}}})
	b.is(Master)
	b.done()
	b.pass(500 * time.Millisecond)
	if got := last[Advertise](b).Advert; got.Priority != 150 || got.Interval != 500*time.Millisecond {
		t.Errorf("says %+v", got)
	}
	b.did = nil
	b.pass(5 * time.Second)
	if n := count[Advertise](b); n != 10 {
		t.Errorf("%d advertisements in 5 s", n)
	}
	if got := b.view().Until.Sub(b.now); got > time.Second {
		t.Errorf("the address stands for %v", got)
	}
}

func TestAnotherConfigurationKeepsTheSourceThatWasTold(t *testing.T) {
	b := began(t, three(func(r *Router) { r.Source = vips[0] }))
	b.step(Sourced{"redis", us})
	b.step(Configured{Setup{Routers: []Router{three(func(r *Router) { r.Source = vips[0].Next() })}}})
	if got := b.m.routers[0].conf.Source; got != us {
		t.Error(got)
	}
}

func TestAnotherConfigurationEndsAndBegins(t *testing.T) {
	other := three(func(r *Router) { r.ID, r.VRID = "other", 52 })
	b := newBenchOf(t, Setup{Routers: []Router{three(), other}, Groups: []Group{{Members: []ID{"redis", "other"}}}})
	b.step(Began{})
	b.pass(4 * time.Second)
	b.are(Master, Master)
	b.did = nil
	third := three(func(r *Router) { r.ID, r.VRID = "third", 53 })
	b.step(Configured{Setup{Routers: []Router{other, third}}})
	if got := b.m.View(); len(got) != 2 || got[0].ID != "other" || got[0].State != Master || got[1].ID != "third" || got[1].State != Backup {
		t.Errorf("%+v", got)
	}
	b.done("Demote", "DropAddress", "DropAddress", "BACKUP", "Leave", "STOP")
	b.pass(4 * time.Second)
	b.are(Master, Master)
}

// TestTheLastOneGone is a configuration without a router that has its address yet.
func TestTheLastOneGone(t *testing.T) {
	b := master(t, three())
	delay[DropAddress](b)
	b.step(Configured{})
	if len(b.m.View()) != 0 || b.m.Buried() {
		t.Error("buried before its address is off")
	}
	b.answer("")
	if got := last[Advertise](b).Advert; !b.m.Buried() || got.Priority != leaving {
		t.Errorf("not buried, though it has said %+v", got)
	}
}

// TestARouterThatBecomesAnother is one that keeps its name and nothing else.
func TestARouterThatBecomesAnother(t *testing.T) {
	b := master(t, three())
	b.step(Configured{Setup{Routers: []Router{three(func(r *Router) { r.VRID = 99 })}}})
	b.is(Backup)
	b.done("Demote", "DropAddress", "DropAddress", "BACKUP", "Leave", "STOP")
	b.pass(4 * time.Second)
	if got := last[Advertise](b).Advert.VRID; got != 99 {
		t.Errorf("says it is %d", got)
	}
}

func TestNewChecksAreWaitedFor(t *testing.T) {
	b := began(t, three())
	b.did = nil
	b.step(Configured{Setup{Routers: []Router{three(tracks(Track{Name: "redis"}))}}})
	b.is(Backup) // It knows of no fault, and goes on as it was.
	b.step(Tracked{"redis", false})
	b.is(Fault)
}

// TestACheckThatComesBackIsNew is one that had failed when it was taken out of the configuration.
func TestACheckThatComesBackIsNew(t *testing.T) {
	with, without := Configured{Setup{Routers: []Router{three(tracks(Track{Name: "redis"}))}}}, Configured{Setup{Routers: []Router{three()}}}
	b := began(t, three())
	b.step(with)
	b.step(Tracked{"redis", false})
	b.is(Fault)
	b.step(without)
	b.pass(4 * time.Second)
	b.is(Master)
	b.step(with)
	b.is(Master)
	if got := b.view().NotPassed; len(got) != 1 || !got[0].Pending {
		t.Errorf("%+v", got)
	}
	b.step(Tracked{"redis", false})
	b.is(Fault)
}
