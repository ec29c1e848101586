package judge

import (
	"fmt"
	"slices"
	"time"

	"redkeep/internal/words"
)

// Law names an invariant.
type Law string

// The invariants.
const (
	NeverTwo      Law = "never two writable"
	StaleAck      Law = "no acknowledgement of an older epoch"
	OneHolder     Law = "one holder per epoch"
	NoWipe        Law = "no wipe by an empty or foreign server"
	CopiesSurvive Law = "replicated writes survive a failover"
	SaidLoss      Law = "an election that loses more than the last moments waits, and says so"
	SwitchLoses   Law = "a switchover loses nothing"
	ComesToRest   Law = "the group comes to rest"
	Needless      Law = "no needless failover"
	Unasked       Law = "no unplanned election under a pause"
	Sane          Law = "a machine keeps its contract"
)

// Finding is a broken invariant. At is the history's own time since its start.
type Finding struct {
	At    time.Duration
	Group words.Group
	Law   Law
	Text  string
}

// String prints the finding in one line.
func (f Finding) String() string {
	return fmt.Sprintf("%.3fms %s: %s: %s", float64(f.At)/1e6, f.Group, f.Law, f.Text)
}

// Open says that a node's gate was opened for the clients of the writable master of Epoch.
type Open struct {
	At    time.Duration
	Group words.Group
	Node  words.Node
	Epoch words.Epoch
}

// Ack says that the answer to a write left a node. Write is unique in the history.
type Ack struct {
	At    time.Duration
	Group words.Group
	Node  words.Node
	Write uint64
}

// Court keeps what is needed of the history so far. It is made by Convene.
type Court struct {
	groups   map[words.Group]*docket
	findings []Finding
	limit    int
	excused  func(Finding) bool
}

// docket is one group's part of the history.
type docket struct {
	opened  map[words.Node]words.Epoch
	holders map[words.Epoch]words.Node
	latest  Ack
	epoch   words.Epoch // of the latest acknowledgement
	before  Ack         // the last acknowledgement of an epoch before that one
	acked   map[uint64]Ack
	leased  bool
	two     bool
	// twoAnswer is as two, for the group's address.
	twoAnswer bool
}

// Convene returns a court that stops recording after limit findings.
func Convene(limit int) *Court {
	return &Court{groups: map[words.Group]*docket{}, limit: limit}
}

// Excuse leaves out, from now on, what a person is to answer for: it must not fill the limit.
func (c *Court) Excuse(excused func(Finding) bool) { c.excused = excused }

// Findings returns what was found so far.
func (c *Court) Findings() []Finding { return c.findings }

// Find records a finding that somebody else made.
func (c *Court) Find(f Finding) {
	if c.excused != nil && c.excused(f) {
		return
	}
	if len(c.findings) < c.limit {
		c.findings = append(c.findings, f)
	}
}

func (c *Court) find(at time.Duration, g words.Group, law Law, format string, args ...any) {
	c.Find(Finding{At: at, Group: g, Law: law, Text: fmt.Sprintf(format, args...)})
}

func (c *Court) docket(g words.Group) *docket {
	d := c.groups[g]
	if d == nil {
		d = &docket{opened: map[words.Node]words.Epoch{}, holders: map[words.Epoch]words.Node{}, acked: map[uint64]Ack{}}
		c.groups[g] = d
	}
	return d
}

// Leased reports whether the group has ever been opened under a lease.
func (c *Court) Leased(g words.Group) bool { return c.docket(g).leased }

// Epoch returns the epoch in which the node was opened last; 0 for never.
func (c *Court) Epoch(g words.Group, n words.Node) words.Epoch { return c.docket(g).opened[n] }

// Opened takes an opening. A second one of the same epoch by the same node is no news.
func (c *Court) Opened(o Open) {
	d := c.docket(o.Group)
	d.leased = true
	if h, ok := d.holders[o.Epoch]; ok && h != o.Node {
		c.find(o.At, o.Group, OneHolder, "%s opens in epoch %d, which %s holds", o.Node, o.Epoch, h)
	}
	d.holders[o.Epoch] = o.Node
	d.opened[o.Node] = max(d.opened[o.Node], o.Epoch)
}

// Writable takes the nodes where a client's write would be executed and answered at this instant. It needs to be called
// when a node has become writable. A group that was never leased has promised nothing yet.
func (c *Court) Writable(at time.Duration, g words.Group, nodes []words.Node) {
	d := c.docket(g)
	if !d.leased {
		return
	}
	if len(nodes) > 1 && !d.two {
		c.find(at, g, NeverTwo, "writable at once: %v (last opened in epochs %v)", nodes, d.epochs(nodes))
	}
	d.two = len(nodes) > 1
}

func (d *docket) epochs(nodes []words.Node) []words.Epoch {
	var e []words.Epoch
	for _, n := range nodes {
		e = append(e, d.opened[n])
	}
	return e
}

// Acked takes an acknowledgement that has left its node.
func (c *Court) Acked(a Ack) {
	d := c.docket(a.Group)
	d.acked[a.Write] = a
	if !d.leased {
		return
	}
	e := d.opened[a.Node]
	if e < d.epoch && a.Node != d.latest.Node {
		c.find(a.At, a.Group, StaleAck, "%s (epoch %d) acknowledges after %s (epoch %d) did at %.3fms",
			a.Node, e, d.latest.Node, d.epoch, float64(d.latest.At)/1e6)
	}
	if e > d.epoch {
		d.before = d.latest
	}
	if e >= d.epoch {
		d.epoch, d.latest = e, a
	}
}

// Copy is what one node's server held when another was promoted. Writes that count are Known.
type Copy struct {
	Node  words.Node
	Known []uint64
}

// Failover takes an opening after a promotion: what the winner held at its promotion, what it and the others held then,
// and how many copies (n-m+1) make a write safe.
func (c *Court) Failover(o Open, winner []uint64, copies []Copy, need int) {
	d := c.docket(o.Group)
	has := set(winner)
	count := map[uint64][]words.Node{}
	for _, cp := range copies {
		for _, w := range cp.Known {
			if !has[w] {
				count[w] = append(count[w], cp.Node)
			}
		}
	}
	var lost []uint64
	for w, at := range count {
		if _, ok := d.acked[w]; ok && len(at) >= need {
			lost = append(lost, w)
		}
	}
	if len(lost) > 0 {
		slices.Sort(lost)
		c.find(o.At, o.Group, CopiesSurvive, "%s won epoch %d without %d acknowledged writes that %d nodes hold, such as %d at %v",
			o.Node, o.Epoch, len(lost), need, lost[0], count[lost[0]])
	}
}

// Stale takes an opening that no voter has let happen as one that may lose data: what it lacks of the epoch before must be younger
// than by, counted back from that epoch's last acknowledgement.
func (c *Court) Stale(o Open, winner []uint64, by time.Duration) {
	d := c.docket(o.Group)
	has, last := set(winner), d.latest
	if d.epoch == o.Epoch {
		last = d.before // the winner has answered already
	}
	var oldest *Ack
	lost := 0
	for w, a := range d.acked {
		if a.At < last.At-by && !has[w] {
			lost++
			if oldest == nil || a.At < oldest.At {
				oldest = &a
			}
		}
	}
	if oldest != nil {
		c.find(o.At, o.Group, SaidLoss, "%s won epoch %d without %d acknowledged writes as old as %.3fms (the last was at %.3fms), and no voter had waited for better",
			o.Node, o.Epoch, lost, float64(oldest.At)/1e6, float64(last.At)/1e6)
	}
	c.Forgive(o.Group, winner)
}

// Forgive drops what a winner lacks: it has been judged, or said.
func (c *Court) Forgive(g words.Group, winner []uint64) {
	d, has := c.docket(g), set(winner)
	for w := range d.acked {
		if !has[w] {
			delete(d.acked, w)
		}
	}
}

// Switched takes the opening of a switchover's target: what it held at its promotion must have all that from acknowledged.
func (c *Court) Switched(o Open, from words.Node, winner []uint64) {
	d := c.docket(o.Group)
	has := set(winner)
	var lost []uint64
	for w, a := range d.acked {
		if a.Node == from && d.opened[from] == d.epochBefore(o.Epoch) && !has[w] {
			lost = append(lost, w)
		}
	}
	if len(lost) > 0 {
		slices.Sort(lost)
		c.find(o.At, o.Group, SwitchLoses, "%s took over from %s in epoch %d without %d acknowledged writes, such as %d of %.3fms",
			o.Node, from, o.Epoch, len(lost), lost[0], float64(d.acked[lost[0]].At)/1e6)
	}
}

func (d *docket) epochBefore(e words.Epoch) words.Epoch {
	var before words.Epoch
	for h := range d.holders {
		if h < e {
			before = max(before, h)
		}
	}
	return before
}

// Wiped takes a full resynchronisation that replaced a replica's data by a master's.
func (c *Court) Wiped(at time.Duration, g words.Group, replica, master words.Node, before, after []uint64) {
	d := c.docket(g)
	if !d.leased || len(before) == 0 {
		return
	}
	if len(after) == 0 {
		c.find(at, g, NoWipe, "%s, empty, wiped %d writes of %s", master, len(before), replica)
		return
	}
	has := set(after)
	for _, w := range before {
		if has[w] {
			return
		}
	}
	c.find(at, g, NoWipe, "%s, which shares nothing with it, wiped %d writes of %s", master, len(before), replica)
}

func set(writes []uint64) map[uint64]bool {
	m := make(map[uint64]bool, len(writes))
	for _, w := range writes {
		m[w] = true
	}
	return m
}
