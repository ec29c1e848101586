package lab

import (
	"testing"
	"time"
)

// TestPowerOff pulls the plug of the master's host, with the lease of the README and with the shortest; the host comes
// back each time, with the gate's unit, and is a replica.
func TestPowerOff(t *testing.T) {
	for _, lease := range []time.Duration{time.Second, 200 * time.Millisecond} {
		t.Run(lease.String(), func(t *testing.T) {
			s := newSite(t, Plan{Lease: lease, AppendOnly: true})
			w := s.write()
			n := &numbers{name: "power off"}
			for range runs(1, 2) {
				m := s.awaitReady(15 * time.Second)
				time.Sleep(freshCopy)
				at := s.powerOff(m)
				s.awaitWrites(w, 10*time.Second)
				s.bound("power off", s.measure(w, at, n).Length(), lease+100*time.Millisecond)
				s.reboot(m)
				s.await(10*time.Second, m+" as a replica", func() bool { return s.linkUp(m) })
				s.reports(m, s.awaitMaster(10*time.Second))
			}
			t.Log(n)
			s.awaitReady(10 * time.Second)
			t.Logf("%d acknowledged writes lost", s.lost(w))
		})
	}
}

// TestReboot boots the old master's host in three ways: as the README has it, without the gate's unit and with a late
// agent, and without an agent at all. Its server takes no write in any of them.
func TestReboot(t *testing.T) {
	s := newSite(t, Plan{AppendOnly: true})
	w := s.write()
	for _, way := range []string{"with the gate's unit", "with a late agent", "without an agent"} {
		m := s.awaitReady(15 * time.Second)
		time.Sleep(freshCopy)
		s.powerOff(m)
		s.awaitWrites(w, 10*time.Second)
		s.mark("boot of %s %s", m, way)
		if way == "with the gate's unit" {
			s.reboot(m)
		} else {
			s.powerOn(m)
			s.startServer(m)
		}
		time.Sleep(700 * time.Millisecond)
		if role := s.command(m, "ROLE"); role != "slave" {
			t.Errorf("%s: the server of %s came up as a %s", way, m, role)
		}
		if way == "with a late agent" {
			s.startAgent(m)
		}
		if way != "without an agent" {
			s.await(10*time.Second, m+" as a replica", func() bool { return s.linkUp(m) })
		}
		s.reports(m, s.awaitMaster(10*time.Second))
	}
	t.Logf("%d acknowledged writes lost", s.lost(w))
}

// TestOldMasterHoldsMore cuts the master's host from the other nodes, not from the clients: what it acknowledges until its
// lease ends nobody else has. When it comes back it says how much that was, and follows.
func TestOldMasterHoldsMore(t *testing.T) {
	s := newSite(t, Plan{})
	w := s.write()
	m := s.awaitReady(10 * time.Second)
	time.Sleep(freshCopy)
	for _, o := range s.others(m) {
		s.must(s.CutBetween(m, o))
	}
	s.mark("%s cut from the other nodes", m)
	s.await(10*time.Second, "another master", func() bool { n, ok := s.master(); return ok && string(n) != m })
	s.awaitWrites(w, 10*time.Second)
	s.must(s.HealAll())
	s.await(10*time.Second, m+" as a replica", func() bool { return s.linkUp(m) })
	bytes := s.reports(m, s.awaitMaster(10*time.Second))
	lost := s.lost(w)
	t.Logf("%d acknowledged writes lost, %d bytes reported", lost, bytes)
	if lost > 0 && bytes <= 0 {
		t.Errorf("%d acknowledged writes are lost and nothing was reported", lost)
	}
}
