package register

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"redkeep/internal/decide"
	"redkeep/internal/words"
)

// promises is what a voter has promised by its answers, over all of its restarts: what the safety argument takes from it.
type promises struct {
	t *rapid.T
	// voted and granted are the holders of each epoch.
	voted, granted map[words.Epoch]words.Node
	// bound is the promise that was given last and not released: to vote for nobody else before until.
	bound words.Node
	epoch words.Epoch
	until words.Instant
	mark  mark
}

// TestPromisesAreKept drives one voter with requests of three nodes, releases, restarts that lose its memory, and time: it never
// votes for two in an epoch, never grants two in one, and never votes for anybody while a grant to another is out.
func TestPromisesAreKept(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := &promises{t: t, voted: map[words.Epoch]words.Node{}, granted: map[words.Epoch]words.Node{}}
		at := start
		disk := words.Register{Admitted: true, Generation: 1, Members: list}
		boot := func() *Voter {
			return New(decide.Setup{Self: "a", Voters: list, Lease: lease, Off: decide.Rules{}}, decide.Boot{Session: 1, Register: disk}, at)
		}
		v := boot()
		node, epoch := rapid.SampledFrom(list), rapid.Map(rapid.IntRange(1, 4), func(i int) words.Epoch { return words.Epoch(i) })
		seq := rapid.Map(rapid.IntRange(1, 5), func(i int) words.Seq { return words.Seq(i) })
		session := rapid.Map(rapid.IntRange(1, 2), func(i int) words.Session { return words.Session(i) })
		length := rapid.SampledFrom([]time.Duration{lease / 2, lease, 2 * lease})
		t.Repeat(map[string]func(*rapid.T){
			"time": func(t *rapid.T) { at = at.Add(time.Duration(rapid.IntRange(1, 800).Draw(t, "ms")) * time.Millisecond) },
			"beat": func(t *rapid.T) {
				n, s, b := node.Draw(t, "from"), session.Draw(t, "session"), beat(epoch.Draw(t, "epoch"), seq.Draw(t, "seq"))
				b.Lease = length.Draw(t, "lease")
				why, persist := v.Beat(at, n, s, b)
				if persist && rapid.Bool().Draw(t, "written") {
					disk = v.Register
					v.Stored(disk.LMax)
				}
				if why.Zero() && !persist {
					p.grant(at, n, b.Epoch, b.Lease, mark{s, b.Seq})
				}
			},
			"vote": func(t *rapid.T) {
				n, s, q := node.Draw(t, "from"), session.Draw(t, "session"), vote(epoch.Draw(t, "epoch"), seq.Draw(t, "seq"))
				q.Lease = length.Draw(t, "lease")
				if why := v.Vote(at, n, s, q); why.Zero() && rapid.Bool().Draw(t, "written") {
					disk = v.Register
					v.Stored(disk.LMax)
					v.Voted(at, n, q)
					p.vote(at, n, q, mark{s, q.Seq})
				}
			},
			"release": func(t *rapid.T) {
				r := decide.Release{Epoch: epoch.Draw(t, "epoch"), Holder: node.Draw(t, "holder"), Session: session.Draw(t, "session"), Seq: seq.Draw(t, "seq")}
				v.Release(at, r)
				if p.bound == r.Holder && p.epoch <= r.Epoch && !p.mark.above(mark{r.Session, r.Seq}) {
					p.bound = ""
				}
			},
			"restart": func(*rapid.T) {
				v = boot()
				clear(p.granted) // only votes outlive a restart; two holders of an epoch are excluded by them alone
			},
		})
	})
}

func (p *promises) grant(at words.Instant, n words.Node, e words.Epoch, d time.Duration, m mark) {
	if old, ok := p.granted[e]; ok && old != n {
		p.t.Fatalf("granted epoch %d to %s and to %s", e, old, n)
	}
	if old, ok := p.voted[e]; ok && old != n {
		p.t.Fatalf("granted epoch %d to %s after voting for %s in it", e, n, old)
	}
	for later := range p.voted {
		if later > e {
			p.t.Fatalf("granted epoch %d after voting in %d", e, later)
		}
	}
	p.granted[e] = n
	p.bind(at, n, e, d, m)
}

func (p *promises) vote(at words.Instant, n words.Node, q decide.Vote, m mark) {
	if old, ok := p.voted[q.Epoch]; ok && old != n {
		p.t.Fatalf("voted in epoch %d for %s and for %s", q.Epoch, old, n)
	}
	if p.bound != "" && p.bound != n && at < p.until {
		p.t.Fatalf("voted for %s at %v while %s is promised until %v", n, at, p.bound, p.until)
	}
	p.voted[q.Epoch] = n
	p.bind(at, n, q.Epoch, q.Lease, m)
}

func (p *promises) bind(at words.Instant, n words.Node, e words.Epoch, d time.Duration, m mark) {
	p.bound, p.epoch, p.until, p.mark = n, e, at.Add(d), m
}
