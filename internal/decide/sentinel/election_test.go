package sentinel

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// ask puts another Sentinel's question to a member, and returns its answer if there is one within a second.
func (b *member) vote(epoch uint64, id string) (Answer, bool) {
	b.lastID++
	asked := b.lastID
	b.step(Asked{asked, IsMasterDown{here(b.master()), epoch, id}})
	b.w.run(time.Second)
	a, ok := b.reply[asked]
	return a, ok
}

// TestVoteThatCouldNotBeWritten is refused, and given when it can be to whoever asks again.
func TestVoteThatCouldNotBeWritten(t *testing.T) {
	w := site(t, 11, 1, 3, 2)
	b := w.members[0]
	b.failed = true
	for range 3 {
		if a, ok := b.vote(9, "someone"); !ok || a.Leader != nobody {
			t.Fatalf("with a disk that fails it answers %+v, %v", a, ok)
		}
	}
	if b.heard("+vote-for-leader") != 0 {
		t.Errorf("a vote that was refused is told: %q", b.events)
	}
	b.failed = false
	if a, ok := b.vote(9, "another"); !ok || a.Leader != "someone" || a.Epoch != 9 {
		t.Errorf("it has chosen and answers %+v, %v", a, ok)
	}
	if b.file.Groups[0].LeaderEpoch != 9 {
		t.Errorf("on disk is %+v", b.file.Groups[0])
	}
	if b.heard("+vote-for-leader someone 9") != 1 || b.heard("+vote-for-leader") != 1 {
		t.Errorf("it is told as %q", b.events)
	}
}

// TestEpochsThatNobodyCountedTo, as a question about a negative one brings them, or a greeting of who likes to: none is taken over, and
// the next failover is one.
func TestEpochsThatNobodyCountedTo(t *testing.T) {
	w := site(t, 14, 2, 3, 2)
	w.run(12 * time.Second)
	const negative = ^uint64(4)
	b, other := w.members[0], w.members[1]
	if a, ok := b.vote(negative, "someone"); !ok || a.Leader == "someone" {
		t.Errorf("it answers %+v, %v", a, ok)
	}
	b.m.onHello(Hello{Addr: here(other.port), ID: other.m.myID, CurrentEpoch: negative, Group: b.ofGroup().name, Master: here(2), ConfigEpoch: negative})
	w.run(5 * time.Second)
	for _, b := range w.members {
		if b.m.currentEpoch != 0 || b.file.CurrentEpoch != 0 || b.file.Groups[0].ConfigEpoch != 0 || b.master() != 1 {
			t.Errorf("%s has %+v", b.name, b.file)
		}
	}
	// Nor is one of them believed that redis-sentinel has left in the file.
	b.kill()
	b.file.CurrentEpoch, b.file.Groups[0].LeaderEpoch = negative, negative
	b.start()
	w.run(5 * time.Second)
	w.die(1)
	w.run(5 * time.Second)
	for _, b := range w.members {
		if b.heard("+switch-master") != 1 || b.ofGroup().configEpoch != 1 || b.file.CurrentEpoch != 1 || b.file.Groups[0].LeaderEpoch != 1 {
			t.Errorf("%s has not switched: %q, %+v", b.name, b.events, b.file)
		}
	}
}

// TestNobodyLeadsWithoutADisk: what it would have forgotten after a restart it could do again.
func TestNobodyLeadsWithoutADisk(t *testing.T) {
	w := site(t, 12, 2, 5, 2)
	w.run(12 * time.Second)
	first := w.members[0]
	first.failed = true
	w.die(1)
	w.run(5 * time.Second)
	if first.heard("+try-failover") != 1 || first.heard("+elected-leader") != 0 {
		t.Errorf("it says %q", first.events)
	}
	if !slices.Contains(first.notes, "No failover of orders: epoch 1 could not be written to the configuration file") {
		t.Errorf("nothing says why: %q", first.notes)
	}
	for _, b := range w.members[1:] {
		if b.heard("+switch-master") != 1 {
			t.Errorf("%s was kept from it: %q", b.name, b.events)
		}
	}
}

// TestVotesOfAnotherEpochDoNotCount: each epoch has its own election, and a vote is for one of them.
func TestVotesOfAnotherEpochDoNotCount(t *testing.T) {
	w := site(t, 13, 2, 5, 3)
	w.run(12 * time.Second)
	b := w.members[0]
	for _, other := range w.members[1:] {
		other.kill()
	}
	w.die(1)
	w.run(1500 * time.Millisecond)
	g := b.ofGroup()
	for _, s := range g.sentinels {
		s.saysDown, s.toldAt = true, w.now
	}
	b.m.prompt(g)
	b.step(Passed{})
	if g.failover.state != waitStart {
		t.Fatalf("it does not stand: %q", b.events)
	}
	w.run(50 * time.Millisecond)
	b.m.currentEpoch += 3
	for i, s := range g.sentinels {
		s.leader, s.leaderTerm = b.m.myID, g.failover.epoch+uint64(i%2)
	}
	if id := b.m.winner(g, g.failover.epoch); id != b.m.myID {
		t.Errorf("two votes and its own do not elect: %q", id)
	}
	g.sentinels[0].leaderTerm++
	if id := b.m.winner(g, g.failover.epoch); id != "" {
		t.Errorf("a vote of another epoch elects %q", id)
	}
}

func TestQuorumAboveTheMajority(t *testing.T) {
	for _, c := range []struct{ dead, quorum, switches int }{{0, 5, 1}, {1, 5, 0}, {1, 4, 1}, {2, 3, 1}, {3, 2, 0}, {2, 1, 1}} {
		w := site(t, 14, 2, 5, c.quorum)
		w.run(12 * time.Second)
		for _, b := range w.members[:c.dead] {
			b.kill()
		}
		w.run(3 * time.Second)
		w.die(1)
		w.run(9 * time.Second)
		for _, b := range w.members[c.dead:] {
			if n := b.heard("+switch-master"); n != c.switches {
				t.Errorf("%d of 5 dead, quorum %d: %s has switched %d times", c.dead, c.quorum, b.name, n)
			}
		}
	}
}

// TestVoterRestartsInAnElection: what it has promised is on its disk.
func TestVoterRestartsInAnElection(t *testing.T) {
	for seed := range uint64(40) {
		w := site(t, seed, 2, 3, 2)
		w.run(12 * time.Second)
		leaders := map[uint64]string{}
		w.watch = func(b *member) {
			if f := b.ofGroup().failover; f.state > waitStart {
				if was := leaders[f.epoch]; was != "" && was != b.name {
					t.Errorf("seed %d: %s and %s lead in epoch %d", seed, was, b.name, f.epoch)
				}
				leaders[f.epoch] = b.name
			}
		}
		w.die(1)
		w.run(time.Second + time.Duration(w.rand.IntN(40))*time.Millisecond)
		voter := w.members[w.rand.IntN(3)]
		voter.kill()
		w.run(time.Duration(w.rand.IntN(20)) * time.Millisecond)
		voter.start()
		w.run(90 * time.Second)
		for _, b := range w.members {
			if b.master() == 1 {
				t.Errorf("seed %d: %s: nothing has been switched", seed, b.name)
			}
		}
	}
}

// TestManyGroupsAtOnce has one host's servers die, and two Sentinels find different groups down first: epochs are counted for all groups
// together, and yet no election waits for another's.
func TestManyGroupsAtOnce(t *testing.T) {
	const groups = 40
	for seed := range uint64(5) {
		w := newWorld(t, seed)
		var all []GroupState
		for i := range groups {
			w.server(1+2*i, 0)
			w.server(2+2*i, 1+2*i)
			all = append(all, watching(fmt.Sprintf("g%d", i), 1+2*i, 2))
		}
		for i := range 3 {
			w.memberOf(1001+i, all...)
		}
		w.run(20 * time.Second)
		for i := range groups {
			w.die(1 + 2*i)
			w.run(time.Duration(w.rand.IntN(3000)) * time.Microsecond)
		}
		w.run(3 * time.Second)
		for _, b := range w.members {
			if n := b.heard("+switch-master"); n != groups {
				t.Errorf("seed %d: %s has switched %d of %d groups", seed, b.name, n, groups)
			}
			if n := b.heard("-failover-abort"); n != 0 {
				t.Errorf("seed %d: %s has given up %d times", seed, b.name, n)
			}
		}
	}
}

// TestStandsAgain is the case in which it does: an epoch that went by under an attempt.
func TestStandsAgain(t *testing.T) {
	w := site(t, 15, 2, 3, 2)
	w.run(12 * time.Second)
	first := w.members[0]
	for _, other := range w.members[1:] {
		// The others have seen a later epoch, of another group, that the first has not.
		other.m.currentEpoch = 7
	}
	w.die(1)
	w.run(6 * time.Second)
	for _, b := range w.members {
		if b.master() == 1 {
			t.Errorf("%s has not switched:\n%s", b.name, strings.Join(first.events, "\n"))
		}
	}
	if e := first.ofGroup().configEpoch; e < 7 {
		t.Errorf("the configuration is of epoch %d", e)
	}
}
