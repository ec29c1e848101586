package sim

import (
	"slices"
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/words"
)

// path is one direction between two hosts.
type path struct {
	cut  bool
	mute bool // the agents' datagrams alone are cut, as by a packet filter
	loss float64
	slow time.Duration
}

// network holds the paths between hosts, and between each host and the clients elsewhere (the index after the last host).
type network struct {
	w     *World
	paths [][]path
	// tap sees each datagram that is sent, and swallows it by true: scripts keep copies and bring them late.
	tap func(from, to *host, m parcel) bool
}

func newNetwork(w *World, hosts int) *network {
	n := &network{w: w, paths: make([][]path, hosts+1)}
	for i := range n.paths {
		n.paths[i] = make([]path, hosts+1)
	}
	return n
}

func (n *network) clients() int { return len(n.paths) - 1 }

// both reports whether packets pass both ways.
func (n *network) both(a, b int) bool { return !n.paths[a][b].cut && !n.paths[b][a].cut }

// well reports whether the path between two hosts is one on which a lease can be kept.
func (n *network) well(a, b int) bool {
	if a == b {
		return true
	}
	for _, p := range []path{n.paths[a][b], n.paths[b][a]} {
		if p.cut || p.mute || p.loss > 0.02 || p.slow > n.w.plan.Lease/20 {
			return false
		}
	}
	return true
}

func (n *network) cut(a, b int, is bool) { n.paths[a][b].cut = is }

func (n *network) cutBoth(a, b int, is bool) {
	n.cut(a, b, is)
	n.cut(b, a, is)
}

func (n *network) mute(a, b int) { n.paths[a][b].mute, n.paths[b][a].mute = true, true }

// isolate cuts a host off from all others; clients elsewhere reach it or not.
func (n *network) isolate(a int, is, clientsToo bool) {
	for b := range n.paths {
		if b != a && (b != n.clients() || clientsToo || !is) {
			n.cutBoth(a, b, is)
		}
	}
}

// partitioned cuts the named hosts off from the others; clients reach all.
func (w *World) partitioned(side ...int) {
	for _, x := range w.hosts {
		for _, y := range w.hosts {
			if slices.Contains(side, x.index) && !slices.Contains(side, y.index) {
				w.net.cutBoth(x.index, y.index, true)
			}
		}
	}
}

// slow has packets take longer from a host to all but the first.
func (n *network) slow(h *host, d time.Duration) {
	for b := 1; b < n.clients(); b++ {
		n.paths[h.index][b].slow = d
	}
}

func (n *network) heal() {
	for _, row := range n.paths {
		for i := range row {
			row[i] = path{}
		}
	}
}

func (n *network) delay(a, b int) time.Duration {
	t := n.w.timing
	return n.w.between(t.netLow, t.netHigh) + n.paths[a][b].slow
}

// send carries a datagram: it may be lost, copied, overtaken and very late. It is judged by the cuts at its start and end.
func (n *network) send(from, to *host, m parcel) {
	w, t := n.w, n.w.timing
	p := n.paths[from.index][to.index]
	if n.tap != nil && n.tap(from, to, m) {
		return
	}
	if p.cut || p.mute || p.loss > 0 && w.rng.Float64() < p.loss || t.loss > 0 && w.rng.Float64() < t.loss {
		return
	}
	n.arrive(from, to, m, n.delay(from.index, to.index))
	if t.copies > 0 && w.rng.Float64() < t.copies {
		n.arrive(from, to, m, n.delay(from.index, to.index))
	}
	if t.late > 0 && w.rng.Float64() < t.late {
		// By then it may be meant for an agent that is no more: the one that has come in its place is not who it was sealed for.
		was := to.agent()
		w.after(time.Duration(float64(w.plan.Lease)*(0.5+2*w.rng.Float64())), func() {
			if to.agent() == was {
				n.arrive(from, to, m, 0)
			}
		})
	}
}

func (n *network) arrive(from, to *host, m parcel, after time.Duration) {
	n.w.after(after, func() {
		if n.paths[from.index][to.index].cut || !to.power {
			return
		}
		to.receive(from, m)
	})
}

// outlived tells a node that a later session of it has been heard: if this one is its agent's, its store was rolled back.
// The agent ends, and its next start takes the store for lost.
func (n *network) outlived(from, to *host, heard uint64) {
	if n.paths[from.index][to.index].cut {
		return
	}
	n.w.after(n.delay(from.index, to.index), func() {
		a := to.agent()
		if a == nil || a.frozen || uint64(a.session) >= heard {
			return
		}
		n.w.log("%s is told that its session %d is outlived by %d", to.name, a.session, heard)
		to.killAgent()
		to.disk.lose(true)
		to.disk.page.session = words.Session(heard)
		n.w.after(20*time.Millisecond, to.startAgent)
	})
}

// parcel is a message with what travels beside it.
type parcel struct {
	group   int
	session uint64
	message decide.Message
}
