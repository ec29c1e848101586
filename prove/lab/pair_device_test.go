package lab

import (
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestPairDeviceReplaced gives the replica's host another device of the same name. On that it hears the master's advertisements: it is no
// second one where nothing else passes between the two. And it sends its own, without which the segment votes for nobody: it takes over when
// the master's host is lost.
func TestPairDeviceReplaced(t *testing.T) {
	s := newSite(t, Plan{Hosts: []string{"h1", "h2"}, AppendOnly: true})
	w := s.settled()
	m := s.awaitReady(10 * time.Second)
	o := s.others(m)[0]
	s.must(s.Host(o).ReplaceDevice())
	s.await(5*time.Second, "word of the new device", func() bool {
		return strings.Contains(tail(filepath.Join(s.Host(o).Dir(), "redkeep.log"), 12000), "device has been replaced")
	})
	s.await(10*time.Second, o+" as a replica", func() bool { return s.linkUp(o) })
	epoch := s.epoch(s.awaitReady(10 * time.Second))
	hear := s.deafenAgent(o)
	time.Sleep(4 * s.plan.Lease)
	if now := s.epoch(m); now != epoch || !s.address(m) || s.address(o) {
		t.Fatalf("%s has epoch %d, it had %d; address on %s %v, on %s %v", m, now, epoch, m, s.address(m), o, s.address(o))
	}
	hear()
	s.await(5*time.Second, m+" heard again", func() bool { return s.linkUp(o) })
	s.awaitReady(10 * time.Second)
	s.must(s.PowerOff(m))
	s.awaitWrites(w, 10*time.Second)
	s.nearlyLossless(w, 1)
}
