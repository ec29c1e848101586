package vrrp

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"redkeep/internal/decide"
	"redkeep/internal/words"
)

// judge holds the actions of one router against what must be true of any sequence of events.
type judge struct {
	t     *rapid.T
	conf  Router
	now   words.Instant
	owing []Action
	// left are the instants of decision of advertisements that really left.
	left      []words.Instant
	decided   map[decide.Ticket]words.Instant
	promoted  bool
	addressed bool
	claimed   bool
	told      State
}

// TestWhateverHappens is each rule of the order, for any events in any order with any answers.
func TestWhateverHappens(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		conf := rapid.SampledFrom([]Router{two(), three(), three(unicast), three(priority(255))}).Draw(rt, "conf")
		conf.Asks = rapid.Bool().Draw(rt, "asks")
		conf.NoPreempt = rapid.Bool().Draw(rt, "nopreempt")
		conf.Tracks = []Track{{Name: "eth0"}, {Name: "redis", Weight: -50}}
		b := &bench{m: New(Setup{Routers: []Router{conf}})}
		j := &judge{t: rt, conf: conf, now: words.Instant(time.Hour), decided: map[decide.Ticket]words.Instant{}, told: Initialize}
		j.see(b.m.Step(j.now, Began{}))
		for range rapid.IntRange(1, 80).Draw(rt, "turns") {
			j.now = j.now.Add(j.pause(b.m))
			ev := j.event(b)
			if d, is := ev.(Done); is {
				j.answered(d)
			}
			j.see(b.m.Step(j.now, ev))
			if at := b.m.Wake(); at < j.now.Add(-time.Millisecond) {
				rt.Fatalf("wakes at %v, which was before %v", at, j.now)
			}
		}
	})
}

// pause is until the machine's own time, mostly; sometimes shorter or far too long.
func (j *judge) pause(m *Machine) time.Duration {
	wake := m.Wake()
	switch rapid.IntRange(0, 5).Draw(j.t, "pause") {
	case 0:
		return time.Duration(rapid.IntRange(0, 9000).Draw(j.t, "ms")) * time.Millisecond
	case 1, 2:
		return time.Millisecond
	default:
		if wake == words.Never {
			return time.Second
		}
		return max(wake.Sub(j.now), 0)
	}
}

func (j *judge) event(b *bench) Event {
	if len(j.owing) > 0 && rapid.IntRange(0, 3).Draw(j.t, "answer") > 0 {
		i := rapid.IntRange(0, len(j.owing)-1).Draw(j.t, "which")
		a := j.owing[i]
		j.owing = slices.Delete(j.owing, i, i+1)
		failed := ""
		if rapid.IntRange(0, 7).Draw(j.t, "fails") == 0 {
			failed = "it failed"
		}
		return Done{ticketOf(a), failed}
	}
	switch rapid.IntRange(0, 9).Draw(j.t, "event") {
	case 0:
		return Tracked{"eth0", rapid.IntRange(0, 3).Draw(j.t, "up") > 0}
	case 1:
		return Tracked{"redis", rapid.Bool().Draw(j.t, "passes")}
	case 2:
		return Configured{Setup{Routers: []Router{j.conf}}}
	case 3:
		if rapid.IntRange(0, 5).Draw(j.t, "stop") == 0 {
			return Stop{}
		}
		return Passed{}
	case 4, 5, 6:
		from := rapid.SampledFrom([]netip.Addr{below, above, us}).Draw(j.t, "from")
		p := rapid.SampledFrom([]uint8{0, 1, 99, 100, 101, 254, 255}).Draw(j.t, "priority")
		h := b.said(from, p)
		switch rapid.IntRange(0, 5).Draw(j.t, "wrong") {
		case 0:
			h.Advert.Addresses = nil
		case 1:
			h.Broken = "checksum"
		}
		return h
	default:
		return Passed{}
	}
}

// answered notes what has really been done.
func (j *judge) answered(d Done) {
	if at, is := j.decided[d.Ticket]; is && d.Failed == "" {
		j.left = append(j.left, at)
	}
}

// see judges what a turn wants.
func (j *judge) see(actions []Action) {
	for _, a := range actions {
		if ticketOf(a) != 0 {
			j.owing = append(j.owing, a)
		}
		switch a := a.(type) {
		case Advertise:
			j.seeAdvertise(a)
		case Promote:
			j.promoted = true
			j.rule(len(j.left) > 0, "promotes before a claim has left")
		case Demote:
			j.promoted = false
		case SetAddress:
			j.addressed = true
			j.rule(j.promoted, "sets the address of who is not promoted")
			j.rule(slices.ContainsFunc(j.left, func(at words.Instant) bool { return a.Until <= at.Add(j.lease()) }), "sets the address for longer than what left allows")
			j.rule(a.Until > j.now, "sets an address whose time is over")
		case DropAddress:
			j.addressed = false
		case Announce:
			j.rule(j.addressed, "announces what is not there")
		case Turned:
			j.told = a.To
			j.rule(j.addressed == (a.To == Master) && j.promoted == (a.To == Master), "is told of before it is done")
			j.claimed = a.To == Master
		}
	}
}

func (j *judge) seeAdvertise(a Advertise) {
	if a.Advert.Priority == leaving {
		j.rule(!j.addressed && !j.promoted, "invites a successor before the address is away")
		j.claimed = false
		return
	}
	j.rule(j.told == Backup || j.told == Master || j.told == Initialize || j.told == Fault && j.conf.Priority == owner, "claims as "+j.told.String())
	j.decided[a.Ticket] = j.now
	j.claimed = true
}

func (j *judge) lease() time.Duration { return 2 * j.conf.Interval }

func (j *judge) rule(kept bool, otherwise string) {
	if !kept {
		j.t.Fatalf("%v: it %s", j.now, otherwise)
	}
}
