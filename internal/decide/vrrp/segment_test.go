package vrrp

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"redkeep/internal/words"
)

// site is routers with these priorities, long enough after their start.
func site(t *testing.T, seed uint64, conf Router, priorities ...uint8) *world {
	w := newWorld(t, seed)
	for _, p := range priorities {
		w.host(conf, p)
	}
	w.run(5 * conf.Interval)
	return w
}

// shapes are the kinds of routers.
func shapes() map[string]Router {
	return map[string]Router{
		"version 2": two(), "version 3": three(), "version 3 at 100 ms": three(func(r *Router) { r.Interval = 100 * time.Millisecond }),
		"unicast": three(unicast), "nopreempt": three(func(r *Router) { r.NoPreempt = true }),
	}
}

func each(t *testing.T, f func(t *testing.T, conf Router)) {
	for name, conf := range shapes() {
		t.Run(name, func(t *testing.T) { f(t, conf) })
	}
}

func TestThreeRoutersElectTheHighest(t *testing.T) {
	each(t, func(t *testing.T, conf Router) {
		w := site(t, 1, conf, 150, 254, 100)
		w.want("h2")
		if w.two != 0 || w.twoMasters != 0 {
			t.Errorf("two holders for %v, two masters for %v", w.two, w.twoMasters)
		}
	})
}

func TestTiesAreDecidedByAddress(t *testing.T) {
	each(t, func(t *testing.T, conf Router) {
		w := newWorld(t, 1)
		w.hand = 0 // All begin at the same instant.
		for range 3 {
			w.host(conf, 100)
		}
		w.run(5 * conf.Interval)
		w.want("h3")
		w.run(time.Minute)
		w.want("h3")
		if w.two > 10*time.Millisecond {
			t.Errorf("two holders for %v", w.two)
		}
	})
}

func TestAPoliteStopCostsOneSkew(t *testing.T) {
	each(t, func(t *testing.T, conf Router) {
		w := site(t, 1, conf, 150, 254, 100)
		w.none = 0
		w.hosts[1].tell(w.hosts[1].m, Stop{})
		w.run(5 * conf.Interval)
		w.want("h1")
		if limit := skew(conf.Version, 150, conf.Interval) + 25*time.Millisecond; w.none > limit || w.two != 0 {
			t.Errorf("nobody had the address for %v, want less than %v; two for %v", w.none, limit, w.two)
		}
	})
}

// TestAKilledAgentsAddressIsGoneBeforeTheNext is why the address has a lease.
func TestAKilledAgentsAddressIsGoneBeforeTheNext(t *testing.T) {
	each(t, func(t *testing.T, conf Router) {
		for seed := range uint64(20) {
			w := site(t, seed, conf, 150, 254, 100)
			w.run(time.Duration(seed) * 53 * time.Millisecond)
			w.hosts[1].kill()
			w.run(5 * conf.Interval)
			w.want("h1")
			if w.two != 0 {
				t.Errorf("seed %d: two had the address for %v", seed, w.two)
			}
		}
	})
}

func TestAFrozenAgentIsNoMasterWhenItGoesOn(t *testing.T) {
	each(t, func(t *testing.T, conf Router) {
		for seed := range uint64(20) {
			w := site(t, seed, conf, 150, 254, 100)
			w.hosts[1].freeze()
			w.run(8 * conf.Interval)
			w.want("h1", "h2")
			w.hosts[1].thaw()
			w.want("h1")
			if w.two != 0 || w.twoMasters != 0 {
				t.Errorf("seed %d: two holders for %v, two masters for %v", seed, w.two, w.twoMasters)
			}
		}
	})
}

func TestACutHeals(t *testing.T) {
	each(t, func(t *testing.T, conf Router) {
		w := site(t, 1, conf, 150, 254, 100)
		w.hosts[1].cut = true
		w.run(5 * conf.Interval)
		w.want("h1", "h2")
		w.hosts[1].cut = false
		w.two, w.twoMasters = 0, 0
		w.run(conf.Interval + 50*time.Millisecond)
		w.want("h2") // Among masters priority decides, with nopreempt, too: RFC 5798, section 6.4.3.
		if w.twoMasters > conf.Interval+w.delay {
			t.Errorf("two masters for %v after the cut healed", w.twoMasters)
		}
	})
}

func TestAReturningRouterPreempts(t *testing.T) {
	w := site(t, 1, three(), 150, 254, 100)
	w.hosts[1].kill()
	w.run(5 * time.Second)
	w.want("h1")
	w.two = 0
	w.hosts[1].start()
	w.run(5 * time.Second)
	w.want("h2")
}

func TestAReturningRouterWithoutPreemptionWaits(t *testing.T) {
	w := site(t, 1, three(func(r *Router) { r.NoPreempt = true }), 150, 254, 100)
	w.hosts[1].kill()
	w.run(5 * time.Second)
	w.hosts[1].start()
	w.run(30 * time.Second)
	w.want("h1")
}

func TestOneRouterThatHearsNothing(t *testing.T) {
	w := site(t, 1, three(), 150, 254, 100)
	w.hosts[2].deaf = true
	w.run(30 * time.Second)
	// It takes itself for the master and is answered; the probe keeps it from having the address.
	if w.two != 0 {
		t.Errorf("two had the address for %v", w.two)
	}
}

func TestADeafRouterHasNoAddress(t *testing.T) {
	w := site(t, 1, three(), 150, 254)
	w.hosts[0].deaf = true
	w.run(20 * time.Second)
	if w.two != 0 || w.hosts[0].until > w.now {
		t.Errorf("two had the address for %v", w.two)
	}
	w.want("h2")
}

func TestMismatchedRoutersAreNotTwo(t *testing.T) {
	w := newWorld(t, 1)
	w.host(two(), 150)
	w.run(5 * time.Second)
	w.host(two(func(r *Router) { r.Secret = words.NewSecret("other") }), 254)
	w.run(30 * time.Second)
	w.want("h1")
	if got := w.hosts[1].m.View()[0]; !got.Held {
		t.Errorf("%+v", got)
	}
	w.hosts[0].kill()
	w.run(8 * time.Second)
	w.want("h2")
	if w.two != 0 {
		t.Errorf("two had the address for %v", w.two)
	}
}

// TestMismatchedRoutersThatStartTogether is the same where neither is first.
func TestMismatchedRoutersThatStartTogether(t *testing.T) {
	for seed := range uint64(50) {
		w := newWorld(t, seed)
		w.host(two(), 100)
		w.host(two(func(r *Router) { r.Secret = words.NewSecret("other") }), 100)
		w.run(20 * time.Second)
		if got := w.masters(); len(got) != 1 || w.two > 0 {
			t.Errorf("seed %d: masters %v, two had the address for %v", seed, got, w.two)
		}
	}
}

// TestNeverTwoWithoutLoss is the property: on a segment that loses nothing there is never more than one master beyond one skew,
// whatever else happens to the hosts; and never two addresses for longer than a way and a hand.
func TestNeverTwoWithoutLoss(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		conf := rapid.SampledFrom([]Router{two(), three(), shapes()["version 3 at 100 ms"], three(unicast)}).Draw(rt, "conf")
		w := newWorld(rt, rapid.Uint64().Draw(rt, "seed"))
		w.delay = time.Duration(rapid.IntRange(0, 3000).Draw(rt, "delay")) * time.Microsecond
		slowest := time.Duration(0)
		for range rapid.IntRange(2, 3).Draw(rt, "hosts") {
			p := uint8(rapid.IntRange(1, 254).Draw(rt, "priority"))
			slowest = max(slowest, skew(conf.Version, p, conf.Interval))
			w.host(conf, p)
			w.run(time.Duration(rapid.IntRange(0, 40).Draw(rt, "start")) * conf.Interval / 10)
		}
		for range rapid.IntRange(1, 12).Draw(rt, "events") {
			h := w.hosts[rapid.IntRange(0, len(w.hosts)-1).Draw(rt, "host")]
			switch rapid.IntRange(0, 3).Draw(rt, "what") {
			case 0:
				h.kill()
			case 1:
				if h.dead {
					h.start()
				}
			case 2:
				h.freeze()
			case 3:
				if h.frozen {
					h.thaw()
				}
			}
			before := w.twoMasters
			w.run(time.Duration(rapid.IntRange(1, 60).Draw(rt, "pause")) * conf.Interval / 10)
			if got := w.twoMasters - before; got > slowest+10*time.Millisecond {
				rt.Fatalf("two masters for %v, a skew is %v", got, slowest)
			}
		}
		if w.two > 10*time.Millisecond {
			rt.Fatalf("two had the address for %v", w.two)
		}
	})
}

// TestLoss is that a lossy segment recovers: with a lost one in five, seven in a thousand waits are for nothing.
func TestLoss(t *testing.T) {
	each(t, func(t *testing.T, conf Router) {
		w := site(t, 7, conf, 150, 254, 100)
		w.loss = 30
		w.run(200 * conf.Interval)
		w.loss = 0
		w.run(5 * conf.Interval)
		if got := w.masters(); len(got) != 1 {
			t.Errorf("masters %v", got)
		}
		if w.two > 10*time.Millisecond {
			t.Errorf("two had the address for %v", w.two)
		}
	})
}
