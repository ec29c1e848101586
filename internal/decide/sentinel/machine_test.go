package sentinel

import (
	"strings"
	"testing"
	"time"
)

func TestDiscovery(t *testing.T) {
	w := site(t, 1, 2, 3, 2)
	for _, b := range w.members {
		if n := len(b.ofGroup().replicas); n != 2 {
			t.Errorf("%s knows %d replicas", b.name, n)
		}
		if n := len(b.ofGroup().sentinels); n != 2 {
			t.Errorf("%s knows %d other Sentinels: %q", b.name, n, b.events)
		}
		if len(b.file.Groups[0].Sentinels) != 2 || len(b.file.Groups[0].Replicas) != 2 {
			t.Errorf("%s has not saved them: %+v", b.name, b.file)
		}
		if b.heard("+sdown")+b.heard("+sentinel-address")+b.heard("+sentinel-invalid") != 0 {
			t.Errorf("%s says %q", b.name, b.events)
		}
		if b.m.links == nil || len(b.m.links) != 5 {
			t.Errorf("%s keeps %d links", b.name, len(b.m.links))
		}
	}
}

func TestFailover(t *testing.T) {
	for seed := range uint64(40) {
		w := site(t, seed, 2, 3, 2)
		w.servers[3].offset = 2000
		w.run(12 * time.Second)
		died := w.now
		w.die(1)
		w.run(5 * time.Second)
		leaders := 0
		for _, b := range w.members {
			if b.master() != 3 {
				t.Fatalf("seed %d: %s: master %d, want 3\n%s", seed, b.name, b.master(), strings.Join(b.events, "\n"))
			}
			if n := b.heard("+switch-master"); n != 1 {
				t.Errorf("seed %d: %s: %d switches", seed, b.name, n)
			}
			leaders += b.heard("+elected-leader")
			if e := b.ofGroup().configEpoch; e != 1 {
				t.Errorf("seed %d: %s: config epoch %d", seed, b.name, e)
			}
			for i, e := range b.events {
				if strings.HasPrefix(e, "+switch-master") && b.at[i].Sub(died) > 2500*time.Millisecond {
					t.Errorf("seed %d: %s: switched after %v", seed, b.name, b.at[i].Sub(died))
				}
			}
		}
		if leaders != 1 {
			t.Errorf("seed %d: %d leaders", seed, leaders)
		}
		if w.servers[2].follows != 3 || w.servers[3].follows != 0 {
			t.Errorf("seed %d: 2 follows %d, 3 follows %d", seed, w.servers[2].follows, w.servers[3].follows)
		}
		// The old master returns as a master, and is made a replica by one of them.
		w.servers[1].dead = false
		w.run(25 * time.Second)
		if s := w.servers[1]; s.follows != 3 || s.orders != 1 {
			t.Errorf("seed %d: the old master follows %d after %d orders", seed, s.follows, s.orders)
		}
		if t.Failed() {
			for _, b := range w.members {
				b.dump()
			}
			return
		}
	}
}

// TestOneStarts kills the master's process, which all Sentinels notice at the same instant: one begins, and the others vote for it.
func TestOneStarts(t *testing.T) {
	for _, sentinels := range []int{2, 3, 5, 7} {
		for seed := range uint64(30) {
			w := site(t, seed, 2, sentinels, sentinels/2+1)
			w.run(8*time.Second + time.Duration(w.rand.IntN(2000))*time.Millisecond)
			w.die(1)
			w.run(3 * time.Second)
			tries := 0
			for _, b := range w.members {
				tries += b.heard("+try-failover")
				if b.heard("+switch-master") != 1 {
					t.Fatalf("%d Sentinels, seed %d: %s has not switched: %q", sentinels, seed, b.name, b.events)
				}
			}
			if tries != 1 {
				t.Errorf("%d Sentinels, seed %d: %d began", sentinels, seed, tries)
			}
		}
	}
}

func TestMinority(t *testing.T) {
	w := site(t, 3, 2, 3, 2)
	w.members[1].kill()
	w.members[2].kill()
	w.run(3 * time.Second)
	w.die(1)
	w.run(time.Minute)
	if b := w.members[0]; b.heard("+sdown master") != 1 || b.heard("+odown")+b.heard("+switch-master") != 0 {
		t.Errorf("one of three says %q", b.events)
	}
}

func TestManualFailover(t *testing.T) {
	w := site(t, 4, 2, 3, 2)
	w.servers[2].prio = 10
	w.run(12 * time.Second)
	if a := w.members[1].request(Failover{Group: "orders"}); a.Refusal != Accepted {
		t.Fatalf("refused: %d", a.Refusal)
	}
	if a := w.members[1].request(Failover{Group: "none"}); a.Refusal != NoSuchMaster {
		t.Errorf("a group that there is not: %d", a.Refusal)
	}
	w.run(5 * time.Second)
	for _, b := range w.members {
		if b.master() != 2 || b.heard("+switch-master") != 1 || b.ofGroup().configEpoch != 1 {
			t.Errorf("%s: master %d\n%s", b.name, b.master(), strings.Join(b.events, "\n"))
		}
	}
	if w.servers[1].follows != 2 || w.servers[3].follows != 2 {
		t.Errorf("1 follows %d, 3 follows %d", w.servers[1].follows, w.servers[3].follows)
	}
}

// TestVotesAreOnDisk asks for a vote while the disk is slow and then broken.
func TestVotesAreOnDisk(t *testing.T) {
	w := site(t, 5, 1, 3, 2)
	b := w.members[0]
	b.saving = 50 * time.Millisecond
	b.step(Asked{900, IsMasterDown{here(1), 7, "someone"}})
	if _, told := b.reply[900]; told {
		t.Error("the vote was told before it was on disk")
	}
	w.run(100 * time.Millisecond)
	if a := b.reply[900]; a.Leader != "someone" || a.Epoch != 7 || b.file.Groups[0].LeaderEpoch != 7 {
		t.Errorf("told %+v, on disk %+v", a, b.file.Groups[0])
	}
	b.failed = true
	b.step(Asked{901, IsMasterDown{here(1), 8, "another"}})
	w.run(100 * time.Millisecond)
	if a := b.reply[901]; a.Leader != nobody {
		t.Errorf("a vote that is not on disk was told: %+v", a)
	}
	// After its restart it votes for nobody in an epoch in which it has.
	b.kill()
	b.failed = false
	b.start()
	w.run(3 * time.Second)
	b.step(Asked{902, IsMasterDown{here(1), 7, "third"}})
	w.run(100 * time.Millisecond)
	if a := b.reply[902]; a.Leader == "third" {
		t.Errorf("voted twice in an epoch: %+v", a)
	}
}

func TestTilt(t *testing.T) {
	w := site(t, 6, 1, 3, 2)
	b := w.members[0]
	b.dead = true // is stopped for a while
	w.run(5 * time.Second)
	b.dead = false
	b.sched = 0
	b.step(Passed{})
	if b.heard("+tilt") != 1 {
		t.Fatalf("says %q", b.events)
	}
	w.die(1)
	w.run(20 * time.Second)
	if n := b.heard("+sdown master orders 10.0.0.1 1"); n != 0 {
		t.Error("decides in tilt")
	}
	w.run(15 * time.Second)
	if b.heard("-tilt") != 1 {
		t.Errorf("says %q", b.events)
	}
	if b.master() != 2 {
		t.Errorf("does not know what the others did: %d", b.master())
	}
}
