package lab

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"redkeep/internal/client"
	"redkeep/internal/picture"
	"redkeep/internal/stage"
	"redkeep/internal/stage/clock"
	"redkeep/internal/stage/writer"
	"redkeep/internal/words"
)

// restoredBar is how soon what another program did to the group's address is undone, the first time.
const restoredBar = 10 * time.Millisecond

// TestMeddlers has other programs change the address that a master has: each time it is as before at once, its lease goes on,
// and log, history and status name who it was.
func TestMeddlers(t *testing.T) {
	for name, plan := range map[string]Plan{"IPv4": {}, "IPv6": {IPv6: true}} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, plan)
			s.astray = 100 * time.Millisecond
			w := s.settled()
			m := s.awaitReady(10 * time.Second)
			s.meddle(w, m, "deleted by hand", s.deleteOnce)
			s.meddle(w, m, "given a longer life", s.prolong)
			s.meddle(w, m, "put on a replica's host", func(string) { s.addElsewhere(m) })
			s.meddle(w, m, "link down and up", s.bounce)
			s.meddle(w, m, "deleted every 5 ms for a second", s.deleteAgainAndAgain)
			s.kept(m)
			s.named(m)
			s.lossless(w)
		})
	}
}

// meddle does something to a host's address and says what became of it, and of the application.
func (s *Site) meddle(w *writer.Writer, m, what string, do func(m string)) {
	s.t.Helper()
	s.awaitWrites(w, 5*time.Second)
	at := clock.Now()
	s.mark("%s: %s", m, what)
	do(m)
	s.await(5*time.Second, "address at "+m, func() bool { return s.address(m) })
	s.awaitWrites(w, 5*time.Second)
	for _, h := range s.plan.Hosts {
		changes := s.changes(h, at)
		for i, c := range changes {
			if i < 3 || i == len(changes)-1 {
				s.t.Logf("%s: %s on %s, %d of %d: restored in %v %s", what, c.what, h, i+1, len(changes), c.took, c.err)
			}
		}
		if len(changes) > 0 && changes[0].what != "link down" {
			s.bound(what+": the first repair", changes[0].took, restoredBar)
		}
	}
	gap := writer.Longest(w.Writes(), at, clock.Now()).Length()
	s.t.Logf("%s: write gap %v, silence for who asks %v, worst stall of the machine %v", what, gap, s.silence(at), s.watch.Worst(at, clock.Now()))
}

// kept checks that a master is one still, and that its lease has never lapsed.
func (s *Site) kept(m string) {
	s.t.Helper()
	if now := s.awaitReady(15 * time.Second); now != m {
		s.t.Errorf("%s was master, now it is %s", m, now)
	}
	if lapsed, ok := s.noted(m, words.LeaseLapsed); ok {
		s.t.Errorf("the lease did not last: %s", lapsed)
	}
}

// deleteOnce takes the address away as an administrator would.
func (s *Site) deleteOnce(m string) {
	s.run(m, "ip", "address", "del", s.whole().String(), "dev", "eth0")
}

// prolong gives the address a life that would survive the agent's death.
func (s *Site) prolong(m string) {
	s.run(m, "ip", "address", "replace", s.whole().String(), "dev", "eth0", "valid_lft", "forever", "preferred_lft", "forever")
	s.await(2*time.Second, "short life of the address", func() bool { return !strings.Contains(s.listed(m), "valid_lft forever") })
}

// listed is what a host has on its device of the group's address.
func (s *Site) listed(m string) string {
	name := "ip-" + clock.Now().String()
	p, err := s.Host(m).Start(stage.Command{Name: name, Path: "ip", Args: []string{"address", "show", "to", s.whole().String()}})
	s.must(err)
	<-p.Done()
	return tail(filepath.Join(s.Host(m).Dir(), name+".log"), 4000)
}

// addElsewhere gives the address to a replica's host too, where the gate keeps it silent until the agent has removed it.
func (s *Site) addElsewhere(m string) {
	other := s.others(m)[0]
	s.must(s.Host(other).AddAddress(s.whole()))
	s.await(2*time.Second, "removal of the address from "+other, func() bool { return !s.address(other) })
}

// bounce sets the device down and up again. The kernel drops a device's IPv6 addresses when it goes down; the host's own is
// for its administrator to put back.
func (s *Site) bounce(m string) {
	s.must(s.Host(m).SetLink(false))
	time.Sleep(100 * time.Millisecond)
	s.must(s.Host(m).SetLink(true))
	if own := s.Host(m).Addr6(); own.IsValid() {
		s.run(m, "ip", "address", "replace", own.String()+"/64", "dev", "eth0", "nodad")
	}
}

// deleteAgainAndAgain is a program that tolerates no address that is not its own.
func (s *Site) deleteAgainAndAgain(m string) {
	count, again := 0, time.NewTicker(5*time.Millisecond)
	defer again.Stop()
	for end := time.Now().Add(time.Second); time.Now().Before(end); <-again.C {
		if s.Host(m).RemoveAddress(s.whole()) == nil {
			count++
		}
	}
	s.t.Logf("the address was there to be deleted %d times", count)
}

// named checks that history and status name who changed the address.
func (s *Site) named(m string) {
	s.t.Helper()
	self := "a program that the kernel does not name"
	if s.vip().Is4() {
		self = filepath.Base(os.Args[0])
	}
	r, ok := s.noted(m, words.VIPBroken)
	if !ok || !strings.Contains(r.Text, self) {
		s.t.Errorf("status names %q, not %s", r.Text, self)
	}
	s.t.Logf("status: %s", r)
	found := 0
	for _, n := range s.history(m) {
		if n.Reason.Code == words.VIPBroken {
			found++
			s.t.Logf("history: %s", n.Reason)
		}
	}
	if found == 0 {
		s.t.Error("history does not say that the address was changed")
	}
}

// history is what a node's disk says of its decisions.
func (s *Site) history(h string) (entries []picture.Noted) {
	s.t.Helper()
	s.must(s.ask(s.t.Context(), h, func(c *client.Client) (err error) {
		entries, err = c.History(s.t.Context(), group, 50, 0)
		return err
	}))
	return entries
}

// change is a line of a node's log that says what another program did to the address.
type change struct {
	what string
	took time.Duration
	err  string
}

var changeLine = regexp.MustCompile(`^time=(\S+) .*msg="the virtual address was changed" .* what="?([a-z ]+?)"? by=(.*) restored_in=(\S+) err=(.*)`)

// changes are those of a node's log since an instant.
func (s *Site) changes(h string, since clock.Instant) (all []change) {
	text, _ := os.ReadFile(filepath.Join(s.Host(h).Dir(), "redkeep.log"))
	for line := range strings.Lines(string(text)) {
		found := changeLine.FindStringSubmatch(strings.TrimSpace(line))
		if found == nil {
			continue
		}
		at, err := time.Parse(time.RFC3339Nano, found[1])
		s.must(err)
		if clock.Instant(at.UnixNano())+s.boot < since.Add(-time.Millisecond) {
			continue
		}
		took, err := time.ParseDuration(found[4])
		s.must(err)
		all = append(all, change{found[2], took, fmt.Sprintf("by %s, err %s", found[3], found[5])})
	}
	return all
}
