package sim

import (
	"fmt"
	"net/netip"
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/words"
)

// host is a node: its power, clocks, disk and kernel, its servers, and the agent process that runs, if one does.
type host struct {
	w     *World
	index int
	name  words.Node
	addr  netip.Addr
	power bool
	boots int
	clock clock
	disk  *disk
	gates []*gate
	// addresses are the groups' virtual addresses here; vipFails and vipSlow are what becomes of orders about them.
	addresses []*address
	vipFails  bool
	vipSlow   time.Duration
	// speechless has a pair's advertisements fail to leave.
	speechless bool
	servers    []*server // by group; nil on a witness
	agents     []*agent  // one, but where rule one-process is off
	// commit is how much longer netlink takes, while another program commits a ruleset of its own.
	commit time.Duration
	// split has senders reach one of two agents each, for ever, as a cloned host's neighbours do.
	split bool
	// troubled is when something was last done to the host or its agent; the laws of calm are lenient then.
	troubled time.Duration
	// waits is until when its agent may grant nothing: a lost store is readmitted after the longest lease that there is.
	waits time.Duration
}

func newHost(w *World, index int) *host {
	h := &host{w: w, index: index, name: words.Node(fmt.Sprintf("n%d", index+1)), power: true, boots: 1}
	h.addr = netip.AddrFrom4([4]byte{10, 0, 0, byte(11 + index)})
	h.clock = clock{raw: 1, kernel: 1, jiffy: 4 * time.Millisecond, born: -time.Hour}
	if !w.plan.Tame {
		h.clock.offset = words.Instant(w.between(0, time.Hour))
		h.clock.raw = 1 + 0.0005*float64(w.rng.IntN(3)-1)
		h.clock.kernel = []float64{1, 0.9, 0.95, 1.1}[w.rng.IntN(4)]
	}
	h.disk = newDisk(w, h)
	for g := range w.plan.Groups {
		h.gates = append(h.gates, &gate{w: w, host: h, group: g})
		h.addresses = append(h.addresses, &address{w: w, host: h, group: g})
		var s *server
		if index < w.plan.Data {
			s = &server{w: w, host: h, group: g, role: words.RoleMaster, follow: nobody}
		}
		h.servers = append(h.servers, s)
	}
	return h
}

func (h *host) bootID() string { return fmt.Sprintf("%s-boot-%d", h.name, h.boots) }

// live returns the agents that run; frozen ones do.
func (h *host) live() []*agent {
	var out []*agent
	for _, a := range h.agents {
		if a.alive {
			out = append(out, a)
		}
	}
	return out
}

// agent returns the host's agent, nil when none lives.
func (h *host) agent() *agent {
	if l := h.live(); len(l) > 0 {
		return l[len(l)-1]
	}
	return nil
}

// receive gives a datagram to the agent's socket. Where two share a name, either may get it.
func (h *host) receive(from *host, p parcel) {
	l := h.live()
	if len(l) == 0 {
		return
	}
	a := l[h.w.rng.IntN(len(l))]
	if h.split {
		a = l[from.index%len(l)]
	}
	if p.session < a.heard[from.index] {
		h.w.net.outlived(h, from, a.heard[from.index])
		return
	}
	a.heard[from.index] = p.session
	a.post(p.group, decide.Received{From: from.name, Session: words.Session(p.session), Message: p.message})
}

func (h *host) serverGone(s *server) {
	for _, a := range h.live() {
		a.seats[s.group].serverGone()
	}
}

func (h *host) serverChanged(s *server) {
	for _, a := range h.live() {
		a.seats[s.group].serverStarted()
	}
}

// off takes the power away: every process, the gate's table and what the disk had not synced.
func (h *host) off() {
	if !h.power {
		return
	}
	w := h.w
	w.log("%s loses power", h.name)
	h.power, h.troubled = false, w.now
	for _, a := range h.live() {
		a.kill()
	}
	for _, s := range h.servers {
		if s != nil {
			s.kill(true)
		}
	}
	for _, a := range h.addresses {
		a.up = false
	}
	h.disk.crash()
	for g := range h.gates {
		w.dirty(g)
	}
}

// on boots the host: the gate's unit first, then the servers, then the agent if it is enabled.
func (h *host) on(how start, agentAfter time.Duration) {
	if h.power {
		return
	}
	w := h.w
	h.power, h.troubled = true, w.now
	h.boots++
	h.clock.born, h.clock.offset = w.now, 0
	w.log("%s boots", h.name)
	for _, g := range h.gates {
		g.lose()
	}
	boot := h.boots
	w.after(w.between(5*time.Millisecond, 300*time.Millisecond), func() {
		if h.boots != boot {
			return
		}
		for _, s := range h.servers {
			if s != nil && s.state == gone { // else somebody has started it meanwhile, and its end is no more the power's
				s.loseTail()
				s.start(how)
			}
		}
	})
	if agentAfter >= 0 {
		w.after(agentAfter, func() {
			if h.boots == boot {
				h.startAgent()
			}
		})
	}
}

// loseTail is what a loss of power does to an AOF that is synced each second.
func (s *server) loseTail() {
	n := len(s.data)
	n -= min(n, s.w.rng.IntN(60))
	s.data, s.torn = s.data[:n:n], true
	s.seen = min(s.seen, n)
}

// startAgent starts the agent's process: it takes its session to disk before anything else, then makes its machines.
func (h *host) startAgent() {
	if !h.power || h.agent() != nil && !h.w.plan.Off.Off(decide.OneProcess) {
		return
	}
	w := h.w
	a := &agent{w: w, host: h, alive: true, since: w.now, heard: make([]uint64, len(w.hosts))}
	h.agents = append(h.live(), a)
	if h.disk.page.session == 0 { // a new store's sessions start at the time of day, above those of the store before
		h.disk.page.session = words.Session(1_700_000_000 + w.now/time.Second)
	}
	h.disk.page.session++
	a.session = h.disk.page.session
	lost := h.disk.page.lost
	boot := h.boots
	for g := range w.plan.Groups {
		a.seats = append(a.seats, &seat{w: w, agent: a, group: g, unfenced: true})
	}
	if lost || h.disk.fresh {
		h.waits, h.disk.fresh = w.now+time.Second+2*w.staleBy(), false
	}
	w.log("%s agent starts, session %d", h.name, a.session)
	h.disk.sync(func(err string) {
		if a.alive && h.boots == boot {
			a.later(loop, 20*time.Microsecond, func() { a.begin(lost) })
		}
	})
}

func (h *host) killAgent() {
	for _, a := range h.live() {
		a.kill()
	}
	h.troubled = h.w.now
}

func (h *host) freeze() {
	for _, a := range h.live() {
		a.freeze()
	}
	h.troubled = h.w.now
}

func (h *host) thaw() {
	for _, a := range h.live() {
		a.thaw()
	}
	h.troubled = h.w.now
}
