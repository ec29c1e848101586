package vrrp

import (
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/words"
)

// bench is one machine with hands that do everything at once, in virtual time.
type bench struct {
	t   *testing.T
	m   *Machine
	now words.Instant
	// fails is what a kind of action fails with, slow what is not answered until asked to be.
	fails map[reflect.Type]string
	slow  map[reflect.Type]bool
	// did is all that was done since it was last looked at.
	did []Action
	// sends is told of advertisements.
	sends func(Advertise)
	owing []decide.Ticket
}

var (
	us    = netip.MustParseAddr("10.9.0.5")
	below = netip.MustParseAddr("10.9.0.4")
	above = netip.MustParseAddr("10.9.0.6")
	vips  = []netip.Addr{netip.MustParseAddr("10.9.0.100")}
	all4  = netip.MustParseAddr("224.0.0.18")
)

// three is a router of version 3, two one of version 2 with a password.
func three(change ...func(*Router)) Router {
	r := Router{
		ID: "redis", Link: "eth0", Source: us, Version: 3, VRID: 51, Priority: 100, Interval: time.Second, Addresses: vips,
		Announce: DefaultAnnouncing(),
	}
	for _, c := range change {
		c(&r)
	}
	return r
}

func two(change ...func(*Router)) Router {
	return three(append([]func(*Router){func(r *Router) {
		r.Version, r.Auth, r.Secret = 2, Password, words.NewSecret("redis123")
	}}, change...)...)
}

func priority(p uint8) func(*Router) { return func(r *Router) { r.Priority = p } }

func newBench(t *testing.T, routers ...Router) *bench {
	return newBenchOf(t, Setup{Routers: routers})
}

func newBenchOf(t *testing.T, s Setup) *bench {
	b := &bench{
		t: t, m: New(s), now: words.Instant(time.Hour), fails: map[reflect.Type]string{}, slow: map[reflect.Type]bool{},
	}
	return b
}

// began is a bench whose machine has begun.
func began(t *testing.T, routers ...Router) *bench {
	b := newBench(t, routers...)
	b.step(Began{})
	b.cleared()
	return b
}

// cleared forgets the first thing that a machine does: what an earlier agent left is taken off.
func (b *bench) cleared() {
	b.t.Helper()
	if len(b.did) == 0 || reflect.TypeOf(b.did[0]) != reflect.TypeFor[DropAddress]() {
		b.t.Fatalf("began with %v", b.did)
	}
	b.did = b.did[1:]
}

// master is one whose router has become the master, and whose past is forgotten.
func master(t *testing.T, r Router) *bench {
	b := began(t, r)
	b.pass(4 * r.Interval)
	b.is(Master)
	b.did = nil
	return b
}

func fail[A Action](b *bench, why string) { b.fails[reflect.TypeFor[A]()] = why }
func delay[A Action](b *bench)            { b.slow[reflect.TypeFor[A]()] = true }

// step tells the machine something, and carries out what it wants.
func (b *bench) step(ev Event) {
	b.t.Helper()
	queue := []Event{ev}
	for turns := 0; len(queue) > 0; turns++ {
		if turns > 100 {
			b.t.Fatalf("no rest after %T", ev)
		}
		actions := slices.Clone(b.m.Step(b.now, queue[0]))
		queue = queue[1:]
		for _, a := range actions {
			b.did = append(b.did, a)
			if ad, is := a.(Advertise); is && b.sends != nil {
				b.sends(ad)
			}
			ticket := ticketOf(a)
			switch kind := reflect.TypeOf(a); {
			case ticket == 0:
			case b.slow[kind]:
				b.owing = append(b.owing, ticket)
			default:
				queue = append(queue, Done{ticket, b.fails[kind]})
			}
		}
	}
}

func ticketOf(a Action) decide.Ticket {
	if f := reflect.ValueOf(a).FieldByName("Ticket"); f.IsValid() {
		return decide.Ticket(f.Uint())
	}
	return 0
}

// answer answers the oldest action that is waited for.
func (b *bench) answer(failed string) {
	b.t.Helper()
	if len(b.owing) == 0 {
		b.t.Fatal("nothing is waited for")
	}
	t := b.owing[0]
	b.owing = b.owing[1:]
	b.step(Done{t, failed})
}

// pass lets time pass, with a Step at each Wake.
func (b *bench) pass(d time.Duration) {
	b.t.Helper()
	end := b.now.Add(d)
	for turns := 0; ; turns++ {
		if turns > 10000 {
			b.t.Fatalf("the machine wakes again and again at %v", b.now)
		}
		next := b.m.Wake()
		if next > end {
			break
		}
		b.now = max(b.now, next)
		b.step(Passed{})
	}
	b.now = end
}

// hear is an advertisement as the router would send it, from a peer, with changes.
func (b *bench) hear(from netip.Addr, p uint8, change ...func(*Heard)) {
	b.t.Helper()
	b.step(b.said(from, p, change...))
}

func (b *bench) said(from netip.Addr, p uint8, change ...func(*Heard)) Heard {
	c := b.m.routers[0].conf
	h := Heard{Link: c.Link, From: from, To: all4, Hops: 255, Advert: Advert{
		Version: c.Version, VRID: c.VRID, Priority: p, Interval: c.Interval, Addresses: c.Addresses, Auth: c.Auth, Secret: c.Secret, PlainSum: c.PlainSum,
	}}
	if c.unicast() {
		h.To = c.Source
	}
	for _, ch := range change {
		ch(&h)
	}
	return h
}

func (b *bench) view() View { return b.m.View()[0] }

func (b *bench) is(want State) {
	b.t.Helper()
	if got := b.view(); got.State != want {
		b.t.Fatalf("state %v (%v) after %v, want %v; troubles %v", got.State, got.Step, time.Duration(b.now)-time.Hour, want, got.Troubles)
	}
}

// kinds are the names of what was done, in order; an advertisement has its priority.
func (b *bench) kinds() []string {
	var names []string
	for _, a := range b.did {
		switch a := a.(type) {
		case Advertise:
			if a.Advert.Priority == leaving {
				names = append(names, "Leave")
			} else {
				names = append(names, "Advertise")
			}
		case Turned:
			names = append(names, a.To.String())
		case Report:
		default:
			names = append(names, reflect.TypeOf(a).Name())
		}
	}
	b.did = nil
	return names
}

func (b *bench) done(want ...string) {
	b.t.Helper()
	if got := b.kinds(); !slices.Equal(got, want) {
		b.t.Errorf("did %v, want %v", got, want)
	}
}

// masterAfter fails unless the router claims exactly then.
func (b *bench) masterAfter(d time.Duration) {
	b.t.Helper()
	b.pass(d - time.Millisecond)
	b.is(Backup)
	b.pass(2 * time.Millisecond)
	b.is(Master)
}

// count is how many actions of a kind were done.
func count[A Action](b *bench) (n int) {
	for _, a := range b.did {
		if _, is := a.(A); is {
			n++
		}
	}
	return n
}

// last is the last action of a kind.
func last[A Action](b *bench) (found A) {
	b.t.Helper()
	for _, a := range slices.Backward(b.did) {
		if a, is := a.(A); is {
			return a
		}
	}
	b.t.Fatalf("there was no %T", found)
	return found
}
