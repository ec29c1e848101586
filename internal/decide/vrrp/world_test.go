package vrrp

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/words"
)

// world is a segment with routers in virtual time: advertisements with delays and losses, hands that take a while, and
// kernels that take an address off when its time is over, whatever has become of its host.
type world struct {
	t      failer
	now    words.Instant
	agenda agenda
	seq    int
	rand   *rand.Rand
	hosts  []*host
	// delay bounds an advertisement's way, hand that of a hand; loss is out of 100.
	delay, hand time.Duration
	loss        int
	// two is for how long more than one host had the address, twoMasters more than one was in the state Master; none that no host had.
	two, twoMasters, none time.Duration
	looked                words.Instant
}

// failer is a test, or one run of a property.
type failer interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// host is one router with its kernel.
type host struct {
	w    *world
	name string
	addr netip.Addr
	m    *Machine
	conf Router
	// cut is that nothing comes or goes; deaf that nothing comes.
	cut, deaf bool
	dead      bool
	frozen    bool
	queue     []Event
	until     words.Instant // the address
	promoted  bool
	busy      words.Instant // its hand's
	wakes     words.Instant
	log       []string
}

type item struct {
	at  words.Instant
	seq int
	do  func()
}
type agenda []item

func (a agenda) Len() int { return len(a) }
func (a agenda) Less(i, j int) bool {
	return a[i].at < a[j].at || a[i].at == a[j].at && a[i].seq < a[j].seq
}
func (a agenda) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a *agenda) Push(x any)   { *a = append(*a, x.(item)) }
func (a *agenda) Pop() any     { old := *a; x := old[len(old)-1]; *a = old[:len(old)-1]; return x }

func newWorld(t failer, seed uint64) *world {
	w := &world{
		t: t, now: words.Instant(time.Hour), looked: words.Instant(time.Hour), rand: rand.New(rand.NewPCG(seed, 112)),
		delay: 500 * time.Microsecond, hand: 2 * time.Millisecond,
	}
	return w
}

func (w *world) after(d time.Duration, do func()) {
	w.seq++
	heap.Push(&w.agenda, item{w.now.Add(d), w.seq, do})
}

// run lets time pass, and measures who has what meanwhile.
func (w *world) run(d time.Duration) {
	end := w.now.Add(d)
	for len(w.agenda) > 0 && w.agenda[0].at <= end {
		next := heap.Pop(&w.agenda).(item)
		w.pass(next.at)
		next.do()
	}
	w.pass(end)
}

// pass adds up the time since it was last looked.
func (w *world) pass(to words.Instant) {
	for w.looked < to {
		next := to
		masters, holders := 0, 0
		for _, h := range w.hosts {
			if h.until > w.looked {
				holders++
				next = min(next, h.until)
			}
			if !h.dead && !h.frozen && !h.cut && h.m.View()[0].State == Master {
				masters++
			}
		}
		if d := next.Sub(w.looked); true {
			if holders > 1 {
				w.two += d
			}
			if holders == 0 {
				w.none += d
			}
			if masters > 1 {
				w.twoMasters += d
			}
		}
		w.looked = next
	}
	w.now = max(w.now, to)
}

func (w *world) host(conf Router, p uint8) *host {
	n := len(w.hosts) + 1
	conf.Priority = p
	conf.Source = netip.AddrFrom4([4]byte{10, 9, 0, byte(n)})
	if conf.unicast() {
		conf.Peers = []netip.Addr{}
		for i := 1; i <= 3; i++ {
			if i != n {
				conf.Peers = append(conf.Peers, netip.AddrFrom4([4]byte{10, 9, 0, byte(i)}))
			}
		}
	}
	h := &host{w: w, name: fmt.Sprint("h", n), addr: conf.Source, conf: conf}
	w.hosts = append(w.hosts, h)
	h.start()
	return h
}

// start starts the host's agent anew.
func (h *host) start() {
	h.m, h.dead, h.frozen, h.queue, h.wakes, h.busy = New(Setup{Routers: []Router{h.conf}}), false, false, nil, 0, h.w.now
	h.tell(h.m, Began{})
}

// tell has an event happen, to the agent that it was meant for.
func (h *host) tell(m *Machine, ev Event) {
	if h.dead || h.m != m {
		return
	}
	if h.frozen {
		h.queue = append(h.queue, ev)
		return
	}
	for _, a := range slices.Clone(m.Step(h.w.now, ev)) {
		h.carry(m, a)
	}
	h.sleep(m)
}

// sleep has the machine woken in time.
func (h *host) sleep(m *Machine) {
	at := m.Wake()
	if at == words.Never || at == h.wakes {
		return
	}
	h.wakes = at
	h.w.after(max(at.Sub(h.w.now), 0), func() {
		if h.wakes == at && h.m == m {
			h.wakes = 0
			h.tell(m, Passed{})
		}
	})
}

// freeze stops the agent, thaw lets it go on with what came meanwhile; the kernel goes on anyway.
func (h *host) freeze() { h.frozen = true }
func (h *host) thaw() {
	h.frozen = false
	queue := h.queue
	h.queue = nil
	for _, ev := range append(queue, Passed{}) {
		h.tell(h.m, ev)
	}
}

func (h *host) kill() { h.dead = true }

// carry carries an action out: what is sent leaves at once, all else is done one after another and takes a while.
func (h *host) carry(m *Machine, a Action) {
	w := h.w
	switch a := a.(type) {
	case Advertise:
		h.send(a)
		w.after(0, func() { h.tell(m, Done{Ticket: a.Ticket}) })
	case Probe:
		w.after(5*time.Millisecond, func() {
			failed := ""
			for _, o := range w.hosts {
				if o != h && !o.cut && !h.cut && o.until > w.now {
					failed = o.name
				}
			}
			h.tell(m, Done{a.Ticket, failed})
		})
	case Promote:
		h.work(m, a.Ticket, func() { h.promoted = true })
	case Demote:
		h.work(m, a.Ticket, func() { h.promoted = false })
	case SetAddress:
		h.work(m, a.Ticket, func() {
			w.pass(w.now)
			if !h.promoted {
				w.t.Errorf("%v: %s has the address before the role", w.now, h.name)
			}
			h.until = a.Until
		})
	case DropAddress:
		h.work(m, a.Ticket, func() { w.pass(w.now); h.until = 0 })
	case Turned:
		h.log = append(h.log, a.To.String())
		if on := h.until > w.now; on && a.To != Master {
			w.t.Errorf("%v: %s is %v and has the address", w.now, h.name, a.To)
		}
	}
}

func (h *host) work(m *Machine, ticket decide.Ticket, do func()) {
	w := h.w
	h.busy = max(h.busy, w.now).Add(time.Duration(w.rand.Int64N(int64(w.hand) + 1)))
	w.after(h.busy.Sub(w.now), func() {
		if h.m != m || h.dead {
			return
		}
		do()
		if ticket != 0 {
			h.tell(m, Done{Ticket: ticket})
		}
	})
}

func (h *host) send(a Advertise) {
	for _, o := range h.w.hosts {
		if o == h || h.cut || h.w.rand.IntN(100) < h.w.loss {
			continue
		}
		for _, to := range a.To {
			if to != o.addr && !to.IsMulticast() {
				continue
			}
			ev := Heard{Link: a.Link, From: h.addr, To: to, Hops: 255, Advert: a.Advert}
			h.w.after(time.Duration(h.w.rand.Int64N(int64(h.w.delay)+1)), func() {
				if !o.cut && !o.deaf {
					o.tell(o.m, ev)
				}
			})
		}
	}
}

// masters are the hosts that take themselves for it.
func (w *world) masters() (names []string) {
	for _, h := range w.hosts {
		if !h.dead && h.m.View()[0].State == Master {
			names = append(names, h.name)
		}
	}
	return names
}

func (w *world) want(names ...string) {
	w.t.Helper()
	if got := w.masters(); !slices.Equal(got, names) {
		w.t.Fatalf("%v: masters %v, want %v", w.now, got, names)
	}
}
