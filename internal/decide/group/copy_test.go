package group

import (
	"slices"
	"testing"
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/words"
)

// replicaAt is a replica's claim as it is told while all is well.
func replicaAt(offset words.Offset) decide.Claim {
	return decide.Claim{Fit: true, Server: words.Server{
		RunID: "run", Role: words.RoleReplica, Position: words.Position{ReplID: "hist", Offset: offset, Second: -1}, Master: "10.0.0.1", MasterPort: 6379, LinkUp: true,
	}}
}

// TestCopyOfTheSameHistoryIsStamped: a process whose master's backlog was exceeded is copied anew within its own history. That its
// offset is far beyond where it was before the copy does not say that the link brings anything.
func TestCopyOfTheSameHistoryIsStamped(t *testing.T) {
	p := &peer{}
	hear := func(c decide.Claim, want words.Offset) {
		t.Helper()
		p.stampCopy(&c)
		p.status.Claim = &c
		if p.copied != want {
			t.Fatalf("at %d, syncing %v: copied is %d, want %d", c.Server.Offset, c.Server.Syncing, p.copied, want)
		}
	}
	copying := replicaAt(2000)
	copying.Server.Syncing, copying.Server.LinkUp, copying.Fit = true, false, false
	hear(replicaAt(1000), 1000)
	hear(replicaAt(2000), 1000) // it moves
	hear(copying, 2000)
	hear(replicaAt(9000), 9000) // the end of the copy
	hear(replicaAt(9000), 9000)
	hear(replicaAt(9100), 9000) // it moves again
}

// copied is a machine whose server has been copied by h1's, in a group that h1 holds in epoch 1, and tells what its claim says of that.
func copied(t *testing.T) (m *Machine, see func(after time.Duration, s words.Server) bool) {
	t.Helper()
	s := newStand(decide.Setup{
		Group: "g", Voters: trio3, Data: trio3, Lease: time.Second, DownAfter: time.Second, BusyAfter: time.Second,
		ColdStartWait: time.Second, Patience: time.Second, Jiffy: 4 * time.Millisecond,
	})
	for _, h := range s.hosts {
		s.process(h, 0)
		s.agent(h, false)
	}
	s.write(s.host("h1"), 1000)
	s.run(5 * time.Second)
	m = s.host("h2").machine
	if m.claim().Fresh {
		t.Fatal("a server that was copied long ago is a fresh copy")
	}
	at := s.now
	return m, func(after time.Duration, v words.Server) bool {
		at = at.Add(after)
		m.Step(at, decide.Seen{Server: v})
		return m.claim().Fresh
	}
}

// TestFreshCopy: a copy is one until something has come over its link, or the link has been up for long enough.
func TestFreshCopy(t *testing.T) {
	m, see := copied(t)
	now := m.own.server
	again := func(change func(*words.Server)) words.Server {
		v := now
		change(&v)
		return v
	}
	syncing := again(func(v *words.Server) { v.Syncing, v.LinkUp = true, false })
	down := again(func(v *words.Server) { v.LinkUp = false })
	moved := again(func(v *words.Server) { v.Offset += 100 })
	fenced := again(func(v *words.Server) {
		v.RunID, v.Master, v.MasterPort, v.LinkUp = "next", words.DeadEnd, words.DeadEndPort, false
	})
	type look struct {
		after time.Duration
		what  words.Server
		fresh bool
	}
	const tick = 100 * time.Millisecond
	for name, looks := range map[string][]look{
		"of the same history":  {{tick, syncing, true}, {tick, now, true}, {tick, now, true}, {tick, moved, false}},
		"of another history":   {{tick, again(func(v *words.Server) { v.ReplID = "other" }), true}},
		"back in its own":      {{tick, again(func(v *words.Server) { v.Offset -= 10 }), true}},
		"seen when it is over": {{tick, again(func(v *words.Server) { v.RunID = "next" }), true}},
		"moved":                {{tick, moved, false}},
		"continued":            {{tick, again(func(v *words.Server) { v.ReplID, v.ReplID2 = "other", now.ReplID }), false}},
		"restarted":            {{tick, fenced, false}},
		"restarted after one":  {{tick, syncing, true}, {tick, now, true}, {tick, fenced, true}},
		"promoted":             {{tick, syncing, true}, {tick, again(func(v *words.Server) { v.Role, v.Master = words.RoleMaster, "" }), false}},
		"settles in time":      {{tick, syncing, true}, {tick, now, true}, {settleTime - tick, now, true}, {tick, now, false}},
		"not while it is down": {{tick, syncing, true}, {tick, now, true}, {tick, down, true}, {settleTime, down, true}, {tick, now, true}, {settleTime, now, false}},
	} {
		t.Run(name, func(t *testing.T) {
			m.own.copy = freshCopy{}
			m.own.server = now
			for i, l := range looks {
				if fresh := see(l.after, l.what); fresh != l.fresh {
					t.Fatalf("look %d: fresh is %v", i+1, fresh)
				}
			}
		})
	}
}

// TestFreshCopyFallsShort: what moves, but has not come to where its master was when last heard, is no better than the copy.
func TestFreshCopyFallsShort(t *testing.T) {
	m, see := copied(t)
	v := m.own.server
	v.RunID = "next"
	if !see(0, v) {
		t.Fatal("it is no fresh copy")
	}
	m.voter.Register.Reach = v.Offset + 100
	for _, offset := range []words.Offset{50, 99, 100} {
		w := v
		w.Offset += offset
		if fresh := see(time.Millisecond, w); fresh != (offset < 100) {
			t.Errorf("%d bytes later: %v", offset, fresh)
		}
	}
}

// TestFreshCopyIsLevelAndNotInSync: the holder's own last look may be older than the copy, which then seems to have everything. A
// switchover may go to it, and a voter does not believe an older list that names it.
func TestFreshCopyIsLevelAndNotInSync(t *testing.T) {
	s := newStand(decide.Setup{
		Group: "g", Voters: trio3, Data: trio3, Lease: time.Second, DownAfter: time.Second, BusyAfter: time.Second,
		ColdStartWait: time.Second, Patience: time.Second, Jiffy: 4 * time.Millisecond,
	})
	for _, h := range s.hosts {
		s.process(h, 0)
		s.agent(h, false)
	}
	s.run(5 * time.Second)
	m := s.host("h1").machine
	if m.holder == nil {
		t.Fatal("h1 holds nothing")
	}
	status := m.peers["h2"].status
	claim := *status.Claim
	for _, fresh := range []bool{true, false} {
		claim.Fresh, status.Claim = fresh, &claim
		m.Step(s.now, decide.Received{From: "h2", Session: 1, Message: status})
		if synced := slices.Contains(m.inSync(), "h2"); synced == fresh {
			t.Errorf("fresh %v: in sync %v", fresh, synced)
		}
		if !slices.Contains(m.level(), "h2") {
			t.Errorf("fresh %v: no switchover can go to it", fresh)
		}
		voter := s.host("h3").machine
		if why := voter.objection("h2", claim, decide.BasisLineage, false); why.Zero() == fresh {
			t.Errorf("fresh %v: h3 says %v", fresh, why)
		}
		if why := voter.objection("h2", claim, decide.BasisChosen, false); !why.Zero() {
			t.Errorf("fresh %v: chosen by a person, h3 says %v", fresh, why)
		}
	}
}
