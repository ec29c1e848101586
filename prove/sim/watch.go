package sim

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/words"
	"redkeep/prove/judge"
)

// watch is what the simulator keeps of one group for the judge.
type watch struct {
	dirty  bool
	acked  time.Duration
	holder int // index of the node that opened last; -1 before
	epoch  words.Epoch
	took   time.Duration // when it did
	// promotions are what the servers held when each node's was last promoted.
	promotions []*promotion
	// handed is the release that names a successor, in the epoch that it ended.
	handed *decide.Release
	// let is until when an election of each node may lose data: a voter has waited long enough for better, or a person said so.
	// said is until when the node's own word of what it lacks counts.
	let, said map[words.Node]time.Duration
	// truce is a pause that counts; truces numbers what persons have asked for.
	truce  *truce
	truces int
	// reigns are the masters that have opened, in order.
	reigns []reign
	// well is since when each node could have kept a lease.
	well   []time.Duration
	issick []bool
}

// promotion is what was where when a server became a master.
type promotion struct {
	at     time.Duration
	winner []uint64
	torn   bool
	copies []judge.Copy
}

func newWatch(hosts int) watch {
	return watch{holder: -1, promotions: make([]*promotion, hosts), well: make([]time.Duration, hosts),
		issick: make([]bool, hosts), let: map[words.Node]time.Duration{}, said: map[words.Node]time.Duration{}}
}

func finding(at time.Duration, g words.Group, law judge.Law, format string, args ...any) judge.Finding {
	return judge.Finding{At: at, Group: g, Law: law, Text: fmt.Sprintf(format, args...)}
}

func (w *World) dirty(group int) {
	if group < len(w.watch) {
		w.watch[group].dirty = true
	}
}

// look asks, where something has changed, whether two nodes would take writes, and whether the one that does is new. A table
// that another program has just removed is left out while its hand restores it: no rule of the lease can help there.
func (w *World) look() {
	for g := range w.watch {
		if !w.watch[g].dirty {
			continue
		}
		w.watch[g].dirty = false
		nodes := w.writable(g)
		w.court.Writable(w.now, w.groups[g], nodes)
		w.court.Answering(w.now, w.groups[g], w.answering(g))
		for _, n := range nodes {
			if e := w.court.Epoch(w.groups[g], n); e > w.watch[g].epoch {
				w.took(g, int(w.indexOf(n)), e)
			}
		}
	}
}

const flushGrace = 15 * time.Millisecond

// staleBy is how much older than the last acknowledgement a write must be that no election may lose without saying so: a replica
// in sync had all that the master had a second earlier, when it was heard, and stays in sync for a lease and two statuses after.
func (w *World) staleBy() time.Duration {
	if w.plan.Stale > 0 {
		return w.plan.Stale
	}
	longest := w.plan.Lease
	for _, l := range w.plan.Leases {
		longest = max(longest, l)
	}
	return longest + 2500*time.Millisecond
}

func (w *World) writable(g int) []words.Node {
	var out []words.Node
	for _, h := range w.hosts {
		s := h.servers[g]
		if s == nil || s.state != running || s.role != words.RoleMaster {
			continue
		}
		gate := h.gates[g]
		if gate.flushed && w.now-gate.flushedAt < flushGrace || !gate.serves() {
			continue
		}
		out = append(out, h.name)
	}
	return out
}

// opened takes a slot's activation: where the server is a master, clients may write from now on.
func (w *World) opened(s *seat, epoch words.Epoch, first bool) {
	if first {
		w.log("%s gate opens, epoch %d", s.host().name, epoch)
	}
	if s.server() != nil && s.gate().serves() {
		w.court.Opened(judge.Open{At: w.now, Group: w.groups[s.group], Node: s.host().name, Epoch: epoch})
	}
}

// took takes the first moment in which a node is writable in an epoch.
func (w *World) took(g, node int, epoch words.Epoch) {
	wt := &w.watch[g]
	w.outcome.Opens++
	w.log("%s is writable, epoch %d", w.hosts[node].name, epoch)
	open := judge.Open{At: w.now, Group: w.groups[g], Node: w.hosts[node].name, Epoch: epoch}
	p := wt.promotions[node]
	wt.promotions[node] = nil
	if p == nil || p.at < wt.took {
		p = w.survey(w.hosts[node].servers[g]) // it was a master already
	}
	if wt.holder >= 0 {
		w.judgeFailover(wt, open, p)
	}
	w.hosts[node].servers[g].torn = false
	w.hosts[node].servers[g].cold = false
	wt.holder, wt.epoch, wt.took = node, epoch, w.now
}

func (w *World) judgeFailover(wt *watch, open judge.Open, p *promotion) {
	need := w.plan.votes() - (w.plan.votes()/2 + 1) + 1
	let := p.torn || w.now <= wt.let[open.Node]
	if !let && w.recorded(open.Group, wt) {
		w.court.Failover(open, p.winner, p.copies, need)
	}
	if h := wt.handed; h != nil && h.Successor == open.Node && h.Epoch == wt.epoch {
		w.court.Switched(open, h.Holder, p.winner)
	}
	said := w.now <= wt.said[open.Node] && w.forgetful(wt.took)
	if !let && !said && w.knowable(open.Group, wt) {
		w.court.Stale(open, p.winner, w.staleBy())
	} else {
		w.court.Forgive(open.Group, p.winner)
	}
}

// forgetful reports whether an agent that runs was restarted or stopped since: what it had heard of who is in sync may be forgotten.
func (w *World) forgetful(since time.Duration) bool {
	return slices.ContainsFunc(w.hosts, func(h *host) bool { return h.troubled >= since && h.agent() != nil })
}

// knowable reports whether anybody could know what the last holder's data were: its row is on some disk, and none has failed since.
func (w *World) knowable(group words.Group, wt *watch) bool {
	failed := slices.ContainsFunc(w.hosts, func(h *host) bool { return h.disk.failed > wt.took })
	return !failed && w.recorded(group, wt)
}

// recorded reports whether the row of the last holder's epoch is on some disk. Where that holder's store is lost before any other agent
// has heard of the row, its history is a stranger's to all: copies of it can't be told from data that nobody acknowledged.
func (w *World) recorded(group words.Group, wt *watch) bool {
	g := slices.Index(w.groups, group)
	return slices.ContainsFunc(w.hosts, func(h *host) bool { return h.disk.page.registers[g].Newest().Epoch >= wt.epoch })
}

func (w *World) promoted(s *server) {
	w.log("%s server promoted at %s, %d writes", s, s.pos, len(s.data))
	w.watch[s.group].promotions[s.host.index] = w.survey(s)
}

// survey is what the servers hold when one of them becomes the master. A server that is not well counts for a part of the
// patience that its node has, with what its own agent has seen of it.
func (w *World) survey(s *server) *promotion {
	p := &promotion{at: w.now, winner: s.data[:len(s.data):len(s.data)], torn: s.torn}
	for _, h := range w.hosts {
		o := h.servers[s.group]
		if o == nil || o == s || o.syncing {
			continue
		}
		known := len(o.data)
		if o.hung > 0 {
			if o.hung < w.now-w.plan.Patience/2 || h.troubled > o.hung-w.plan.DownAfter || !h.power {
				continue
			}
			known = min(o.seen, known)
		}
		if o.cold {
			known = min(known, int(h.disk.page.registers[o.group].Record.Keys))
		}
		p.copies = append(p.copies, judge.Copy{Node: h.name, Known: o.data[:known:known]})
	}
	return p
}

// persisted counts votes.
func (w *World) persisted(s *seat, r words.Register) {
	old := s.host().disk.page.registers[s.group].Vote
	if r.Vote != old && r.Vote.Holder != "" {
		w.outcome.Votes++
	}
}

// noted takes what a machine says: an election that may lose data is announced by a voter.
func (w *World) noted(s *seat, r words.Reason) {
	if (r.Code == words.Elected || r.Code == words.Resumed) && r.Node == s.host().name {
		s.epoch = max(s.epoch, words.Epoch(r.N))
		if h := w.watch[s.group].handed; h != nil && h.Holder == r.Node && h.Epoch == s.epoch {
			w.watch[s.group].handed = nil // it goes on with what it had handed over
		}
	}
	if r.Node == s.host().name && r.Code == words.Writable {
		w.reigns(s)
	}
	if r.Node == s.host().name && r.Code == words.Elected {
		w.judgeTruce(s, words.Epoch(r.N))
	}
	if r.Code == words.LossyElection || r.Code == words.RecoveredAlone {
		until := w.watch[s.group].let
		if r.Other != "" { // the winner's own word of what it lacks of another's
			until = w.watch[s.group].said
		}
		until[r.Node] = w.now + 5*time.Second
	}
}

func (w *World) replied(s *seat, r decide.Reply) {
	w.log("%s replies to %d: %q %q %v", s.host().name, r.ID, r.Text, r.Err, r.Why)
	if f := w.replies[r.ID]; f != nil {
		delete(w.replies, r.ID)
		f(r)
	}
}

// send gives a message to the network, and tells the watch of what it says.
func (w *World) send(s *seat, v decide.Send) {
	if r, ok := v.Message.(decide.Release); ok {
		w.released(s, r)
	}
	to := w.indexOf(v.To)
	if to < 0 || int(to) == s.host().index {
		w.insane(s.host(), s.group, "sends to %q", v.To)
		return
	}
	w.net.send(s.host(), w.hosts[to], parcel{s.group, uint64(s.agent.session), v.Message})
}

// released judges a holder that lets go although nothing is wrong.
func (w *World) released(s *seat, r decide.Release) {
	wt := &w.watch[s.group]
	if r.Holder != s.host().name || r.Epoch != wt.epoch || wt.holder != s.host().index {
		return
	}
	if r.Successor != "" {
		if wt.handed == nil || wt.handed.Epoch != r.Epoch {
			wt.handed = &r
		}
		return
	}
	switch r.Reason.Code {
	case words.HandedOver, words.AgentStopped:
		return
	}
	// A voter that voted for another while this one was elected is asked again by its reclaim, when two leases are over at the latest.
	settled := w.now-wt.took > 2*w.plan.Lease
	if since, ok := w.wellSince(s.group, wt.holder); ok && settled && w.now-since > w.calmFor() {
		w.find(s.group, judge.Needless, "%s lets go of epoch %d (%v) although all is well since %v", r.Holder, r.Epoch, r.Reason, since)
	}
}

func (w *World) calmFor() time.Duration { return 3*time.Second + 2*w.plan.Lease + 2*w.plan.DownAfter }

// weather brings the times of well-being up to date. It is called at each change of the world's faults.
func (w *World) weather() {
	for g := range w.watch {
		for i := range w.hosts {
			if w.isWell(g, i) {
				if w.watch[g].issick[i] {
					w.watch[g].well[i], w.watch[g].issick[i] = w.now, false
				}
			} else {
				w.watch[g].issick[i] = true
			}
		}
	}
}

func (w *World) wellSince(g, i int) (time.Duration, bool) {
	w.weather()
	return max(w.watch[g].well[i], w.hosts[i].troubled), !w.watch[g].issick[i]
}

// isWell reports whether the node could keep a lease now: its server and agent well, a majority of agents well reached.
func (w *World) isWell(g, i int) bool {
	h := w.hosts[i]
	s := h.servers[g]
	if s == nil || s.state != running || s.hung > 0 || !w.agentWell(i) || w.timing.loss > 0 {
		return false
	}
	n := 0
	for j := range w.hosts {
		if w.agentWell(j) && w.net.well(i, j) {
			n++
		}
	}
	return n >= w.plan.votes()/2+1
}

func (w *World) agentWell(i int) bool {
	a := w.hosts[i].agent()
	return a != nil && !a.frozen && !a.ending && w.hosts[i].disk.failed <= a.since && w.now > w.hosts[i].waits && w.hosts[i].power && w.now-w.hosts[i].troubled > 100*time.Millisecond &&
		w.timing.gateHigh < w.plan.Lease/20 && w.timing.netHigh < w.plan.Lease/20
}

// views is what each node's machine says, in one line.
func (w *World) views(g int) string {
	var b strings.Builder
	for _, h := range w.hosts {
		s := h.servers[g]
		fmt.Fprintf(&b, "\n      %s: ", h.name)
		if s != nil {
			fmt.Fprintf(&b, "server %d %s follows %d %s %d writes, gate %v; ", s.state, s.role, s.follow, s.pos, len(s.data), h.gates[g].state)
		}
		a := h.agent()
		if a == nil || a.seats[g].machine == nil {
			b.WriteString("no agent")
			continue
		}
		p := a.seats[g].machine.Picture()
		fmt.Fprintf(&b, "%s, master %q epoch %d writable %v, why %v", p.State, p.Master, p.Epoch, p.Writable, p.Why)
	}
	return b.String()
}
