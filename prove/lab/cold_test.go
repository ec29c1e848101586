package lab

import (
	"strings"
	"testing"
	"time"

	"redkeep/internal/stage/clock"
	"redkeep/internal/words"
)

// coldWait is short beside the default, and long beside what an election takes.
const coldWait = 3 * time.Second

func coldPlan() Plan {
	return Plan{AppendOnly: true, Extra: "cold_start_wait: " + coldWait.String() + "\n"}
}

// TestColdStart powers all hosts off and boots them one after another, in every order; in short with the last holder first, second and
// third. The servers keep their data on disk.
func TestColdStart(t *testing.T) {
	s := newSite(t, coldPlan())
	orders := [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}}
	for _, order := range few(orders, 0, 2, 5) {
		w := s.write()
		m := s.awaitReady(20 * time.Second)
		s.awaitWrites(w, 10*time.Second)
		time.Sleep(freshCopy)
		s.allOff()
		w.Stop()
		hosts := append([]string{m}, s.others(m)...)
		var names []string
		at := clock.Now()
		for _, i := range order {
			names = append(names, hosts[i])
			s.reboot(hosts[i])
			time.Sleep(150 * time.Millisecond)
		}
		won := s.awaitMaster(30 * time.Second)
		t.Logf("%s was the master; boot order %s: %s is, %v after the first boot", m, strings.Join(names, " "), won, clock.Now().Sub(at).Round(time.Millisecond))
		s.awaitReady(20 * time.Second)
		lost := s.lost(w)
		// A replica that was recorded within a second of the last holder may win at once, and lacks a second at most.
		if lost > 0 && (won == m || lost > 1200) {
			t.Errorf("%d acknowledged writes are lost", lost)
		}
		s.reports(m, won)
	}
}

func (s *Site) allOff() {
	for _, h := range s.plan.Hosts {
		s.powerOff(h)
	}
}

// TestColdStartWithoutHolder boots the two others only: they wait for the last holder, and then go on without it, unless
// something that it acknowledged is missing.
func TestColdStartWithoutHolder(t *testing.T) {
	s := newSite(t, coldPlan())
	w := s.write()
	m := s.awaitReady(20 * time.Second)
	s.awaitWrites(w, 10*time.Second)
	w.Stop()
	time.Sleep(freshCopy)
	s.allOff()
	at := clock.Now()
	for _, h := range s.others(m) {
		s.reboot(h)
	}
	won := s.awaitMaster(30 * time.Second)
	t.Logf("%s won %v after the boot, without %s", won, clock.Now().Sub(at).Round(time.Millisecond), m)
	if lost := s.lost(w); lost > 0 {
		t.Errorf("%d acknowledged writes are lost", lost)
	}
	s.reboot(m)
	s.await(15*time.Second, m+" as a replica", func() bool { return s.linkUp(m) })
}

// TestColdStartEmptyHolder boots all hosts, the last holder's with an empty disk: it does not win, and wipes nobody.
func TestColdStartEmptyHolder(t *testing.T) {
	s := newSite(t, coldPlan())
	w := s.write()
	m := s.awaitReady(20 * time.Second)
	s.awaitWrites(w, 10*time.Second)
	w.Stop()
	time.Sleep(freshCopy)
	s.allOff()
	s.must(s.redis[m].Wipe())
	for _, h := range append([]string{m}, s.others(m)...) {
		s.reboot(h)
		time.Sleep(100 * time.Millisecond)
	}
	if won := s.awaitMaster(30 * time.Second); won == m {
		t.Errorf("the empty server of %s was made the master", m)
	}
	s.awaitReady(20 * time.Second)
	if lost := s.lost(w); lost > 0 {
		t.Errorf("%d acknowledged writes are lost", lost)
	}
}

// TestColdStartWaits powers all hosts off while the replicas' servers lag, and boots those two only. They know that the last
// holder had acknowledged more than they have, stay without a master, and say which host is missing; its return mends that.
func TestColdStartWaits(t *testing.T) {
	s := newSite(t, coldPlan())
	w := s.write()
	m := s.awaitReady(20 * time.Second)
	time.Sleep(freshCopy)
	for _, o := range s.others(m) {
		s.must(s.redis[o].Process().Freeze())
	}
	time.Sleep(2500 * time.Millisecond) // acknowledged by the master alone, and the others' agents know
	s.allOff()
	w.Stop()
	for _, h := range s.others(m) {
		s.reboot(h)
	}
	time.Sleep(coldWait + 2*time.Second)
	if won, ok := s.master(); ok {
		t.Errorf("%s is master without %s", won, m)
	} else if why, ok := s.eitherWaitsFor(s.others(m), words.DataMissing); !ok || string(why.Node) != m {
		g, _ := s.status(s.others(m)[0])
		t.Errorf("status does not say that %s is missing: %v", m, g.Why)
	} else {
		t.Logf("status says: %s", why)
	}
	s.reboot(m)
	if won := s.awaitMaster(20 * time.Second); won != m {
		t.Errorf("%s is master after the return of %s", won, m)
	}
	s.awaitReady(20 * time.Second)
	s.lossless(w)
}

// TestColdStartOldSnapshot boots all hosts, the last holder's with a snapshot from before Redkeep was installed, and first: it
// does not win by what its agent had recorded of it, since its data say themselves how old they are.
func TestColdStartOldSnapshot(t *testing.T) {
	s := bareSite(t, Plan{Quiet: true, Extra: coldPlan().Extra})
	s.startServers()
	s.await(10*time.Second, "replication", func() bool { return s.linkUp("h2") && s.linkUp("h3") })
	s.await(5*time.Second, "old snapshot", func() bool {
		v, err := s.redis["h1"].Do(t.Context(), "SAVE") // refused while the replicas' first copy is being made
		return err == nil && v.IsOK()
	})
	s.command("h1", "SET", "later", "there")
	s.startAgents()
	if m := s.awaitReady(20 * time.Second); m != "h1" {
		t.Fatalf("%s is the master", m)
	}
	s.command("h1", "SET", "latest", "there")
	time.Sleep(freshCopy)
	for _, h := range s.others("h1") {
		s.command(h, "SAVE")
	}
	s.allOff()
	for _, h := range s.plan.Hosts {
		s.reboot(h)
	}
	won := s.awaitMaster(30 * time.Second)
	for _, key := range []string{"later", "latest"} {
		if got := s.command(won, "GET", key); got != "there" {
			t.Errorf("%s won, and has %q of %q", won, got, key)
		}
	}
}

// TestColdStartOldReplicas boots the hosts of two replicas whose snapshots are old. That they had been in sync says nothing then:
// they wait for the last holder's host, which has everything.
func TestColdStartOldReplicas(t *testing.T) {
	s := bareSite(t, Plan{Quiet: true, Extra: coldPlan().Extra})
	s.startServers()
	s.await(10*time.Second, "replication", func() bool { return s.linkUp("h2") && s.linkUp("h3") })
	s.startAgents()
	m := s.awaitReady(20 * time.Second)
	s.command(m, "SET", "early", "there")
	time.Sleep(freshCopy)
	for _, h := range s.others(m) {
		s.command(h, "SAVE")
	}
	s.command(m, "SET", "late", "there")
	time.Sleep(freshCopy)
	s.command(m, "SAVE")
	s.allOff()
	for _, h := range s.others(m) {
		s.reboot(h)
	}
	s.await(coldWait+5*time.Second, "word of missing data", func() bool {
		why, ok := s.waitsFor("h2", words.DataMissing)
		return ok && string(why.Node) == m
	})
	s.reboot(m)
	if won := s.awaitReady(20 * time.Second); s.command(won, "GET", "late") != "there" {
		t.Errorf("%s won, and has not what %s had acknowledged", won, m)
	}
}

// eitherWaitsFor is waitsFor of whichever of several says so: the others wait for the best of them.
func (s *Site) eitherWaitsFor(hosts []string, code words.Code) (words.Reason, bool) {
	for _, h := range hosts {
		if why, ok := s.waitsFor(h, code); ok {
			return why, true
		}
	}
	return words.Reason{}, false
}
