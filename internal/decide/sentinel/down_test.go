package sentinel

import (
	"strings"
	"testing"
	"time"

	"redkeep/internal/words"
)

// after is when a member said something for the first time, from an instant on; -1 if it has not.
func (b *member) saidAfter(from time.Duration, prefix string) time.Duration {
	for i, e := range b.events {
		if at := time.Duration(b.at[i]) - from; at >= 0 && len(e) >= len(prefix) && e[:len(prefix)] == prefix {
			return at
		}
	}
	return -1
}

// TestDownAfterCountsAtOnce when it is changed, for all that belongs to the group.
func TestDownAfterCountsAtOnce(t *testing.T) {
	w := site(t, 51, 1, 3, 2)
	b := w.members[0]
	a := b.request(Set{"orders", []Option{{Name: "down-after-milliseconds", Typed: "Down-After-Milliseconds", Number: 400, Text: "400"}}})
	if a.Refusal != Accepted || b.heard("+set master orders 10.0.0.1 1 Down-After-Milliseconds 400") != 1 {
		t.Fatalf("%d: %q", a.Refusal, b.events)
	}
	if b.file.Groups[0].DownAfter != 400*time.Millisecond {
		t.Errorf("on disk %v", b.file.Groups[0].DownAfter)
	}
	w.run(3 * time.Second)
	w.servers[1].frozen, w.servers[2].frozen = true, true
	from := time.Duration(w.now)
	w.run(3 * time.Second)
	for _, who := range []string{"+sdown master", "+sdown slave"} {
		// A ping goes out at least every 400 ms, and counts for 400 ms.
		if at := b.saidAfter(from, who); at < 0 || at > 900*time.Millisecond {
			t.Errorf("%s after %v", who, at)
		}
	}
}

// TestMasterThatCallsItselfAReplica is down when it has for down-after and two INFOs' time.
func TestMasterThatCallsItselfAReplica(t *testing.T) {
	w := site(t, 52, 2, 3, 2)
	w.run(12 * time.Second)
	from := time.Duration(w.now)
	w.servers[1].follows = 2
	w.servers[2].follows = 1 // nobody is a master
	w.run(time.Minute)
	b := w.members[0]
	told, down := b.saidAfter(from, "-role-change master"), b.saidAfter(from, "+sdown master")
	if told < 0 || down-told < 21*time.Second || down-told > 22*time.Second {
		t.Errorf("told after %v, down after %v", told, down)
	}
	if b.master() == 1 {
		t.Error("nobody took over")
	}
}

// TestRebootedMaster that loads its data for longer than it may.
func TestRebootedMaster(t *testing.T) {
	for _, limit := range []time.Duration{0, 5 * time.Second} {
		w := site(t, 53, 1, 3, 2)
		for _, b := range w.members {
			b.ofGroup().rebootDownAfter = limit
		}
		w.run(12 * time.Second)
		w.servers[1].run, w.servers[1].loading = idOf(77), true
		from := time.Duration(w.now)
		w.run(25 * time.Second)
		b := w.members[0]
		reboot, down := b.saidAfter(from, "+reboot master"), b.saidAfter(from, "+sdown master")
		switch {
		case reboot < 0:
			t.Errorf("it says %q", b.events)
		case limit == 0 && down >= 0:
			t.Errorf("down after %v without a limit", down)
		case limit > 0 && (down-reboot < limit || down-reboot > limit+time.Second):
			t.Errorf("told after %v, down after %v", reboot, down)
		}
	}
}

// TestTiltAnswers: who doubts its own clock calls nobody down, and votes.
func TestTiltAnswers(t *testing.T) {
	w := site(t, 54, 1, 3, 2)
	b := w.members[0]
	for _, other := range w.members[1:] {
		other.kill()
	}
	w.die(1)
	w.run(1500 * time.Millisecond)
	if !b.ofGroup().master.sDown {
		t.Fatal("the master is not down for it")
	}
	b.dead = true // is stopped for a while
	w.run(5 * time.Second)
	b.dead = false
	b.sched = 0
	b.step(Passed{})
	a, ok := b.vote(99, "someone")
	if !b.m.tilt || !ok || a.Down || a.Leader != "someone" || a.Epoch != 99 {
		t.Errorf("tilt %v: it answers %+v, %v", b.m.tilt, a, ok)
	}
	if s := b.m.Self(); !s.Tilt || s.TiltFor < time.Second {
		t.Errorf("it tells %+v", s)
	}
	w.run(30 * time.Second)
	if a, _ := b.vote(100, "another"); !a.Down {
		t.Errorf("after it: %+v", a)
	}
}

// TestMisguidedReplicaIsLeftAloneFor the failover timeout: another Sentinel may be about to change what we believe.
func TestMisguidedReplicaIsLeftAloneFor(t *testing.T) {
	w := site(t, 55, 2, 3, 2)
	w.run(12 * time.Second)
	w.servers[3].follows = 2
	from := time.Duration(w.now)
	w.run(9 * time.Second)
	if w.servers[3].orders != 0 {
		t.Error("it was told before its time")
	}
	w.run(20 * time.Second)
	if w.servers[3].follows != 1 {
		t.Errorf("it follows %d", w.servers[3].follows)
	}
	for _, b := range w.members {
		if at := b.saidAfter(from, "+fix-slave-config slave 10.0.0.1:3"); at >= 0 && at < 10*time.Second {
			t.Errorf("%s told it after %v", b.name, at)
		}
	}
}

// TestObserver says what it would have done, with news of the replicas that are as late as an election would be, and does nothing.
func TestObserver(t *testing.T) {
	w := site(t, 56, 2, 3, 2)
	b := &member{
		w: w, name: "observer", port: 120, cut: map[int]bool{}, reply: map[uint64]Answer{}, saving: time.Millisecond,
		file: State{MyID: idOf(120), Groups: []GroupState{watching("orders", 1, 2)}},
	}
	w.members = append(w.members, b)
	b.watching = true
	b.start()
	w.run(19 * time.Second)
	for _, other := range w.members[:3] {
		if n := len(other.ofGroup().sentinels); n != 2 {
			t.Errorf("%s knows %d others", other.name, n)
		}
	}
	w.servers[3].offset = 9999
	w.die(1)
	w.run(5 * time.Second)
	if b.heard("would-try-failover master orders 10.0.0.1 1 epoch 1 down for ") != 1 || b.heard("would-promote slave 10.0.0.1:3 ") != 1 ||
		b.heard("would-compare the quorum promoted 10.0.0.1:3 for orders; this one would have promoted 10.0.0.1:3, ") != 1 {
		b.dump()
		t.Error("that is not what it would have done")
	}
	// A person asks for the next one.
	w.run(20 * time.Second)
	if a := w.members[0].request(Failover{Group: "orders"}); a.Refusal != Accepted {
		t.Fatalf("refused: %d", a.Refusal)
	}
	w.run(5 * time.Second)
	if b.heard("would-compare the quorum promoted 10.0.0.1:2 for orders, whose master this one had not found down") != 1 {
		b.dump()
		t.Error("it takes a person's failover for an outage")
	}
	if _, ok := b.vote(99, "someone"); b.reply[b.lastID].Leader != nobody || !ok {
		t.Errorf("it votes: %+v", b.reply[b.lastID])
	}
	if a := b.request(Failover{Group: "orders"}); a.Refusal != Observing {
		t.Errorf("it does what it is asked for: %d", a.Refusal)
	}
	if len(b.file.Groups[0].Replicas) != 0 {
		t.Error("it has written its file")
	}
}

// TestBusyScript is ended where it keeps a server from answering, and never by one who only observes.
func TestBusyScript(t *testing.T) {
	for _, observe := range []bool{false, true} {
		m := New(Setup{Random: func() uint64 { return 1 }, Observe: observe}, State{MyID: idOf(1), Groups: []GroupState{watching("orders", 1, 2)}})
		at := words.Instant(time.Hour)
		m.Step(at, Began{})
		i := m.byName["orders"].master
		m.Step(at, Linked{i.link.id, Commands, here(9).IP, here(1).IP})
		killed, said := 0, 0
		for range 50 {
			at = at.Add(100 * time.Millisecond)
			for _, a := range m.Step(at, Ponged{i.link.id, PongBusy}) {
				switch a := a.(type) {
				case KillScript:
					killed++
				case Notice:
					if a.Channel == "would-kill-script" {
						said++
					}
				}
			}
		}
		if want := map[bool][2]int{false: {1, 0}, true: {0, 1}}[observe]; !i.sDown || killed != want[0] || said != want[1] {
			t.Errorf("observe %v: down %v, %d killed, %d told", observe, i.sDown, killed, said)
		}
	}
}

// TestTiltCandidate: who doubts its own clock asks nobody for a vote, also where the disk was slow to take its own.
func TestTiltCandidate(t *testing.T) {
	w := site(t, 57, 1, 3, 2)
	w.run(12 * time.Second)
	b := w.members[0] // whose turn is the first
	b.saving = 4 * time.Second
	w.die(1)
	w.run(1010 * time.Millisecond)
	if s := b.ofGroup().failover.state; s != waitStart {
		t.Fatalf("it is in %s", s)
	}
	epoch := b.ofGroup().failover.epoch
	b.dead = true // is stopped for a while
	w.run(2500 * time.Millisecond)
	b.dead = false
	b.step(Passed{})
	if !b.m.tilt || b.m.saved >= b.ofGroup().failover.ticket {
		t.Fatalf("tilt %v, %d saved of %d", b.m.tilt, b.m.saved, b.ofGroup().failover.ticket)
	}
	asked := 0
	for _, a := range b.m.Step(w.now, Saved{b.ofGroup().failover.ticket, false}) {
		if q, ok := a.(AskDown); ok && q.RunID != nobody {
			asked++
		}
	}
	if asked != 0 {
		t.Errorf("it asks %d others for votes in epoch %d", asked, epoch)
	}
	w.run(35 * time.Second)
	if b.heard("-tilt") != 1 || b.ofGroup().failover.under() {
		t.Errorf("after it: %s\n%s", b.ofGroup().failover.state, strings.Join(b.events, "\n"))
	}
}

// TestClockSetBack is nobody's doubt: the machine's clock is that of the host's uptime, and an event that comes late counts from now.
func TestClockSetBack(t *testing.T) {
	w := site(t, 58, 1, 3, 2)
	b := w.members[0]
	now := b.m.now
	b.m.Step(now.Add(-time.Hour), Passed{})
	b.m.Step(now.Add(time.Millisecond), Passed{})
	if b.m.tilt || b.m.now != now.Add(time.Millisecond) {
		t.Errorf("tilt %v, and it is %v at %v", b.m.tilt, b.m.now, now)
	}
	w.run(12 * time.Second)
	w.die(1)
	w.run(5 * time.Second)
	if b.master() != 2 {
		t.Errorf("the master is %d", b.master())
	}
}
