package lab

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"redkeep/internal/stage/clock"
	"redkeep/internal/stage/writer"
	"redkeep/internal/words"
	"redkeep/prove/judge"
)

// reign is one lease as the agents' logs tell it: from the election on until something says that it is over for sure.
type reign struct {
	node     string
	epoch    words.Epoch
	from, to clock.Instant
}

// quiet is a stretch in which a node's agent was dead or frozen. A lease does not outlive the beginning of one by more
// than its length.
type quiet struct {
	node     string
	from, to clock.Instant
}

const (
	// never is later than every instant of a test.
	never = clock.Instant(1<<63 - 1)
	// stamp is the step of the logs' times, which are cut off and not rounded.
	stamp = time.Millisecond
	// readLate is how much later than it arrived a client may stamp an answer on a machine that is busy, beside the stalls
	// that the watcher saw.
	readLate = 5 * time.Millisecond
)

var (
	electedLine  = regexp.MustCompile(`^time=(\S+) .*msg=elected .*what="(\S+) was elected in epoch (\d+)"`)
	releasedLine = regexp.MustCompile(`^time=(\S+) .*msg=released .*what="(\S+) has released epoch (\d+)"`)
	resumedLine  = regexp.MustCompile(`^time=(\S+) .*msg=resumed .*what="(\S+) goes on with the lease()`)
)

// fact is one line of a log that begins or ends a reign.
type fact struct {
	node  string
	epoch words.Epoch
	at    clock.Instant
}

// facts returns the elections and the releases that all agents' logs tell of, in the order of time. An agent that resumes
// its lease after a restart is elected in its last epoch once more.
func (s *Site) facts() (elected, released []fact) {
	for _, h := range s.plan.Hosts {
		for _, name := range []string{"redkeep.log.1", "redkeep.log"} {
			text, _ := os.ReadFile(filepath.Join(s.Host(h).Dir(), name))
			for line := range strings.Lines(string(text)) {
				if !strings.Contains(line, " group="+string(group)+" ") {
					continue // a second group has reigns of its own
				}
				if f, ok := s.fact(electedLine, line); ok && f.node == h {
					elected = append(elected, f)
				}
				if f, ok := s.fact(releasedLine, line); ok {
					released = append(released, f)
				}
				if f, ok := s.fact(resumedLine, line); ok && f.node == h {
					elected = append(elected, f)
				}
			}
		}
	}
	byTime := func(a, b fact) int { return cmp.Compare(a.at, b.at) }
	slices.SortStableFunc(elected, byTime)
	slices.SortFunc(released, byTime)
	return resumed(elected), released
}

// resumed gives the epoch of the last election to the resumptions by its winner, and drops those of other nodes' agents,
// which resume no lease.
func resumed(elected []fact) []fact {
	var list []fact
	for _, f := range elected {
		if f.epoch == 0 {
			if len(list) == 0 || list[len(list)-1].node != f.node {
				continue
			}
			f.epoch = list[len(list)-1].epoch
		}
		list = append(list, f)
	}
	return list
}

func (s *Site) fact(pattern *regexp.Regexp, line string) (fact, bool) {
	found := pattern.FindStringSubmatch(line)
	if found == nil {
		return fact{}, false
	}
	at, err := time.Parse(time.RFC3339Nano, found[1])
	if err != nil {
		s.t.Errorf("a line of a log can't be read: %s", line)
		return fact{}, false
	}
	epoch, _ := strconv.ParseUint(found[3], 10, 64) // digits, or nothing
	return fact{found[2], words.Epoch(epoch), clock.Instant(at.UnixNano()) + s.boot}, true
}

// reigns returns who held the lease and when, at the widest that the promise allows: a reign ends when its release is
// known anywhere, when another is elected, or one lease after its agent fell quiet.
func (s *Site) reigns() []reign {
	elected, released := s.facts()
	var list []reign
	for _, e := range elected {
		r := reign{e.node, e.epoch, e.at, never}
		for _, f := range released {
			if f.node == e.node && f.epoch == e.epoch && f.at >= e.at {
				r.to = min(r.to, f.at.Add(stamp))
			}
		}
		for _, f := range elected {
			if f.node != e.node && f.epoch >= e.epoch && f.at >= e.at {
				r.to = min(r.to, f.at.Add(stamp))
			}
		}
		for _, q := range s.quiets() {
			if end := q.from.Add(s.plan.Lease); q.node == e.node && q.to > end && end > e.at {
				r.to = min(r.to, end)
			}
		}
		list = append(list, r)
	}
	return list
}

// quiets returns when agents were dead, and when a test had frozen them.
func (s *Site) quiets() []quiet {
	list := slices.Clone(s.frozen)
	for h, lives := range s.lives {
		for i, p := range lives {
			q := quiet{node: h, to: never}
			if q.from, _ = p.End(); q.from == 0 {
				continue
			}
			if i+1 < len(lives) {
				q.to = lives[i+1].Begun()
			}
			list = append(list, q)
		}
	}
	return list
}

// judged compares every acknowledgement that any client has noted with the leases held, and logs the verdict.
func (s *Site) judged() {
	reigns := s.reigns()
	if len(reigns) == 0 {
		return
	}
	court := judge.Convene(10)
	for _, r := range reigns {
		court.Opened(judge.Open{At: s.since(r.from), Group: group, Node: words.Node(r.node), Epoch: r.epoch})
	}
	acked, outside := 0, 0
	for _, w := range s.clients {
		for _, write := range w.Writes() {
			if !write.OK() || write.Acked < reigns[0].from {
				continue // a group that was never leased has promised nothing yet
			}
			acked++
			node := s.nodeAt(write)
			if s.covered(reigns, node, write) {
				continue
			}
			outside++
			court.Find(judge.Finding{
				At: s.since(write.Acked), Group: group, Law: judge.StaleAck,
				Text: fmt.Sprintf("%s acknowledged outside its lease a write sent at %v", node, s.since(write.Sent)),
			})
		}
	}
	s.t.Logf("%d acknowledgements, %d outside a lease; %d reigns, worst stall of the machine %v",
		acked, outside, len(reigns), s.watch.Worst(s.begun, clock.Now()))
	if s.guilty {
		if len(court.Findings()) == 0 {
			s.t.Error("the judge finds nothing where there is something to find")
		}
		return
	}
	for _, f := range court.Findings() {
		s.t.Error(f)
	}
	if len(court.Findings()) > 0 {
		for _, r := range reigns {
			s.t.Logf("epoch %d: %s from %v to %v", r.epoch, r.node, s.since(r.from), s.since(r.to))
		}
	}
}

// covered reports whether one of the node's reigns covers an acknowledgement. The answer left the node between Sent and
// Acked: what was asked after the end is outside it in any case, what was read after it only if no client is that late.
func (s *Site) covered(reigns []reign, node string, w writer.Write) bool {
	return slices.ContainsFunc(reigns, func(r reign) bool {
		if r.node != node || w.Acked < r.from {
			return false
		}
		return w.Acked <= r.to || w.Sent <= r.to && w.Acked.Sub(r.to) <= readLate+s.watch.Worst(r.to, w.Acked)
	})
}

func (s *Site) nodeAt(w writer.Write) string {
	for _, h := range s.plan.Hosts {
		if s.Host(h).Addr() == w.Node.Addr() {
			return h
		}
	}
	return w.Node.String()
}

// since prints instants as the test's own time.
func (s *Site) since(at clock.Instant) time.Duration {
	if at == never {
		return time.Duration(never)
	}
	return at.Sub(s.begun)
}
