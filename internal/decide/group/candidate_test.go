package group

import (
	"slices"
	"testing"
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/decide/quorum"
	"redkeep/internal/words"
)

const noon = words.Instant(time.Hour)

// member is a voter without a server, at rest, in a group whose last holder was b in epoch 3.
func member(voters ...words.Node) *Machine {
	m := New(decide.Setup{
		Group: "g", Self: "a", Voters: voters, Data: voters[1:], Lease: time.Second, DownAfter: time.Second,
		Jiffy: 4 * time.Millisecond, Random: func() uint64 { return 7 },
	}, decide.Boot{Session: 1, Register: words.Register{
		Admitted: true, Generation: 1, Members: voters, LMax: time.Second,
		Vote: words.Ballot{Epoch: 3, Holder: "b"},
		Rows: []words.Row{{Epoch: 3, Holder: "b", ReplID: "hist", From: 0}},
	}})
	m.Step(noon, decide.Tick{})
	return m
}

// TestCandidateWithdrawsWhenItVotesForAnother in its own epoch, before its own request has left: three others of five could
// still elect it, into an epoch in which it voted for somebody else.
func TestCandidateWithdrawsWhenItVotesForAnother(t *testing.T) {
	m := member("a", "b", "c", "d", "e")
	m.candidate = &candidate{round: quorum.NewRound(7), voting: true, vote: decide.Vote{Epoch: 4}, hold: quorum.NewHold(4, m.lasts()), again: words.Never, deadline: words.Never}
	m.Step(noon.Add(2*time.Second), decide.Received{From: "c", Session: 1, Message: decide.Vote{Epoch: 4, Seq: 1, Lease: time.Second, Generation: 1, Basis: decide.BasisChosen}})
	if vote := m.voter.Register.Vote; vote.Holder != "c" || vote.Epoch != 4 {
		t.Fatalf("it voted %+v", vote)
	}
	if m.candidate != nil {
		t.Error("it is a candidate still")
	}
}

// TestTargetIsNotPutOffByBeats: the holder is heard while the target of its switchover asks, and that is as it should be. Any
// other candidate gives up.
func TestTargetIsNotPutOffByBeats(t *testing.T) {
	beat := decide.Received{From: "b", Session: 1, Message: decide.Beat{Epoch: 3, Seq: 1, Lease: time.Second, Generation: 1}}
	for _, target := range []bool{true, false} {
		m := member("a", "b", "c")
		m.candidate = &candidate{round: quorum.NewRound(7), again: words.Never, deadline: words.Never}
		if target {
			m.candidate.forTarget = func(bool, words.Reason) { t.Error("the attempt ended") }
		}
		m.Step(noon.Add(time.Second), beat)
		if asks := m.candidate != nil; asks != target {
			t.Errorf("the target of a switchover: %v; asks on: %v", target, asks)
		}
	}
}

// TestCopyOfAVoteRequestIsNotRefused while the seal that the first asked for is under way: it would end the candidate's attempt
// although the vote is about to be given.
func TestCopyOfAVoteRequestIsNotRefused(t *testing.T) {
	s := newStand(decide.Setup{
		Group: "g", Voters: trio3, Data: trio3, Lease: time.Second, DownAfter: time.Second, BusyAfter: time.Second,
		ColdStartWait: time.Second, Patience: time.Second, Jiffy: 4 * time.Millisecond,
	})
	for _, h := range s.hosts {
		s.process(h, 0)
		s.agent(h, false)
	}
	s.run(2 * time.Second)
	h := s.host("h2")
	q := decide.Vote{Epoch: 9, Seq: 99, Lease: time.Second, Generation: 1, Claim: h.machine.claim(), Rows: h.disk.Rows, Basis: decide.BasisLineage}
	q.Releases = []decide.Release{{Epoch: 1, Holder: "h1", Session: 9, Seq: 999}}
	ask := decide.Received{From: "h3", Session: 1, Message: q}
	orders, refusals := 0, 0
	for range 2 {
		for _, a := range h.machine.Step(s.now, ask) {
			if _, ok := a.(decide.Instruct); ok {
				orders++
			}
			if send, ok := a.(decide.Send); ok {
				if _, no := send.Message.(decide.Refuse); no {
					refusals++
				}
			}
		}
	}
	if orders != 1 || refusals != 0 {
		t.Errorf("%d orders to the server and %d refusals, want one seal and no refusal", orders, refusals)
	}
}

var trio3 = []words.Node{"h1", "h2", "h3"}

// TestLaterRowEndsAHold: the two of a pair may both have been elected. The older one goes, also where the newer one holds no more.
func TestLaterRowEndsAHold(t *testing.T) {
	for _, stays := range []bool{true, false} {
		s := newStand(decide.Setup{
			Group: "g", Voters: trio3, Data: trio3, Lease: time.Second, DownAfter: time.Second, BusyAfter: time.Second,
			ColdStartWait: time.Second, Patience: time.Second, Jiffy: 4 * time.Millisecond, Turns: 2,
		})
		for _, h := range s.hosts {
			s.process(h, 0)
			s.agent(h, false)
		}
		s.run(5 * time.Second)
		h := s.hosts[slices.IndexFunc(s.hosts, func(h *host) bool { return h.machine.holder != nil })]
		of := h.name
		if !stays {
			of = trio3[(slices.Index(trio3, h.name)+1)%len(trio3)]
		}
		later := words.Row{Epoch: h.machine.holder.hold.Epoch + 4, Holder: of, ReplID: "of-the-other-side"}
		h.machine.Step(s.now, decide.Received{From: "h3", Session: 1, Message: decide.PreVoted{Rows: []words.Row{later}}})
		if held := h.machine.holder != nil; held != stays {
			t.Errorf("after a row of %s, %s holds: %v", of, h.name, held)
		}
	}
}

// TestAsksAnew: who learns of a later epoch while it asks was judged, by itself too, by what it knew before.
func TestAsksAnew(t *testing.T) {
	for _, off := range []bool{false, true} {
		m := member("a", "b", "c")
		m.setup.Off = decide.Rules{decide.AsksAnew: off}
		m.candidate = &candidate{round: quorum.NewRound(7), reclaim: true, ask: decide.PreVote{Rows: m.voter.Register.Rows}, again: words.Never, deadline: words.Never}
		later := []words.Row{{Epoch: 5, Holder: "b", ReplID: "anew"}}
		m.Step(noon.Add(2*time.Second), decide.Received{From: "b", Session: 1, Message: decide.PreVoted{Round: 7, Rows: later}})
		if asks := m.candidate != nil; asks != off {
			t.Errorf("rule off: %v; it goes on asking: %v", off, asks)
		}
	}
}
