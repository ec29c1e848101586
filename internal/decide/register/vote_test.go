package register

import (
	"testing"
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/words"
)

func TestOneVoteForEachEpoch(t *testing.T) {
	v := fresh()
	voted(t, v, after(0), "b", vote(2, 1))
	denied(t, v, after(time.Hour), "c", vote(2, 1), words.VotedAlready)
	denied(t, v, after(time.Hour), "c", vote(1, 1), words.VotedAlready)
	voted(t, v, after(time.Hour), "c", vote(3, 1))
}

// TestSameVoteIsGivenAgain: lost answers are asked for again in the same epoch. Another process of the same node is another
// candidate: a vote names the run ID.
func TestSameVoteIsGivenAgain(t *testing.T) {
	v := fresh()
	voted(t, v, after(0), "b", vote(2, 1))
	voted(t, v, after(1), "b", vote(2, 1))
	other := vote(2, 1)
	other.Claim.Server.RunID = "another process"
	denied(t, v, after(2), "b", other, words.VotedAlready)
}

func TestVoteWaitsForTheGrant(t *testing.T) {
	v := fresh()
	granted(t, v, after(0), "b", 1, beat(1, 1))
	denied(t, v, after(lease-1), "c", vote(2, 1), words.GrantHeld)
	voted(t, v, after(lease), "c", vote(2, 1))

	v = fresh(decide.VoteWaitsGrant)
	granted(t, v, after(0), "b", 1, beat(1, 1))
	voted(t, v, after(0), "c", vote(2, 1))
}

// TestVoteForThePresentHolderWaitsForNothing is what a reclaim needs.
func TestVoteForThePresentHolderWaitsForNothing(t *testing.T) {
	v := fresh()
	granted(t, v, after(0), "b", 1, beat(1, 1))
	voted(t, v, after(1), "b", vote(2, 2))
}

// TestReleasePassedOnFreesTheVote: a release is final for what it names, whoever carries it.
func TestReleasePassedOnFreesTheVote(t *testing.T) {
	v := fresh()
	granted(t, v, after(0), "b", 1, beat(1, 4))
	q := vote(2, 1)
	q.Releases = []decide.Release{{Epoch: 1, Holder: "b", Session: 1, Seq: 3}}
	denied(t, v, after(1), "c", q, words.GrantHeld)
	q.Releases[0].Seq = 4
	if why := v.WouldVote(after(1), "c", decide.PreVote{Releases: q.Releases}); !why.Zero() {
		t.Errorf("pre-vote with the release: %v", why)
	}
	if _, held := v.Granting(after(1)); !held {
		t.Error("a pre-vote ended a grant")
	}
	voted(t, v, after(1), "c", q)
}

func TestVoteIsAGrant(t *testing.T) {
	v := fresh()
	voted(t, v, after(0), "b", vote(2, 1))
	denied(t, v, after(lease-1), "c", vote(3, 1), words.GrantHeld)
	v.Voted(after(500*time.Millisecond), "b", vote(2, 1))
	denied(t, v, after(1400*time.Millisecond), "c", vote(3, 1), words.GrantHeld)
	voted(t, v, after(1500*time.Millisecond), "c", vote(3, 1))

	v = fresh(decide.VoteIsGrant)
	voted(t, v, after(0), "b", vote(2, 1))
	voted(t, v, after(0), "c", vote(3, 1))
}

// TestVoteOnDiskDoesNotRenewWhatWasReleased: the candidate gave up while the vote was being written.
func TestVoteOnDiskDoesNotRenewWhatWasReleased(t *testing.T) {
	v := fresh()
	voted(t, v, after(0), "b", vote(2, 1))
	v.Release(after(1), decide.Release{Epoch: 2, Holder: "b", Session: 1, Seq: 1})
	v.Voted(after(2), "b", vote(2, 1))
	if _, held := v.Granting(after(3)); held {
		t.Error("a released grant came back")
	}
	denied(t, v, after(4), "b", vote(2, 1), words.EpochReleased)
}

func TestVoteRefusedBelowTheEpochSeen(t *testing.T) {
	v := fresh()
	v.Saw(5)
	denied(t, v, after(0), "b", vote(4, 1), words.OlderEpoch)
	voted(t, v, after(0), "b", vote(5, 1))
}

func TestVoteRefusedInAnAbsurdEpoch(t *testing.T) {
	denied(t, fresh(), after(0), "b", vote(maxJump+1, 1), words.EpochTooHigh)
	if fresh().Saw(maxJump + 1) {
		t.Error("an absurd epoch was taken for seen")
	}
}

func TestVoteRefusedUnderAnotherList(t *testing.T) {
	q := vote(1, 1)
	q.Generation = 2
	denied(t, fresh(), after(0), "b", q, words.OtherList)
}

func TestStrangerHasNoVote(t *testing.T) {
	v := restarted(words.Register{Admitted: true, Generation: 1, Members: []words.Node{"b", "c"}})
	denied(t, v, after(0), "b", vote(1, 1), words.NotMember)
	refused(t, v, after(0), "b", 1, beat(1, 1), words.NotMember)

	pending := restarted(words.Register{Admitted: true, Generation: 1, Members: []words.Node{"b", "c"}, Pending: list})
	voted(t, pending, after(0), "b", vote(1, 1))
}

// TestRestartedVoterWaits for the longest lease that it may have granted; it may grant at once (restart-wait, l-max).
func TestRestartedVoterWaits(t *testing.T) {
	r := words.Register{Admitted: true, Generation: 1, Members: list, LMax: 3 * lease}
	v := restarted(r)
	denied(t, v, after(3*lease-1), "b", vote(1, 1), words.RestartWaiting)
	if why := v.WouldVote(after(0), "b", decide.PreVote{Handover: true}); why.Code != words.RestartWaiting {
		t.Errorf("a pre-vote within the wait: %v", why)
	}
	granted(t, v, after(0), "b", 1, beat(1, 1))
	voted(t, restarted(r), after(3*lease), "b", vote(1, 1))
	voted(t, restarted(r, decide.RestartWait), after(0), "b", vote(1, 1))
	voted(t, restarted(r, decide.LMax), after(lease), "b", vote(1, 1))
}

func TestRestartedVoterKeepsItsVote(t *testing.T) {
	v := restarted(words.Register{Admitted: true, Generation: 1, Members: list, Vote: words.Ballot{Epoch: 4, Holder: "b", RunID: "r"}})
	if v.Seen() != 4 {
		t.Errorf("the highest epoch seen is %d", v.Seen())
	}
	denied(t, v, after(0), "c", vote(4, 1), words.VotedAlready)
	refused(t, v, after(0), "c", 1, beat(3, 1), words.OlderEpoch)
}

// TestLostStoreNeitherVotesNorGrants until it is readmitted, above all that the others know, where it votes for nobody
// (readmission: a model found that not voting is not enough).
func TestLostStoreNeitherVotesNorGrants(t *testing.T) {
	v := restarted(words.Register{Generation: 1, Members: list})
	denied(t, v, after(0), "b", vote(6, 1), words.NotAdmitted)
	refused(t, v, after(0), "b", 1, beat(6, 1), words.NotAdmitted)

	v.Readmit(5, 1, list)
	v.Settle(after(lease))
	denied(t, v, after(lease), "b", vote(5, 1), words.VotedAlready)
	refused(t, v, after(0), "b", 1, beat(4, 1), words.OlderEpoch)
	denied(t, v, after(lease-1), "b", vote(6, 1), words.RestartWaiting)
	granted(t, v, after(0), "b", 1, beat(6, 1))
}

// TestLeavingVoterGrantsAndVotesNot: nobody else can become master while the gates go.
func TestLeavingVoterGrantsAndVotesNot(t *testing.T) {
	v := fresh()
	v.Register.Left = true
	denied(t, v, after(0), "b", vote(1, 1), words.GroupLeft)
	granted(t, v, after(0), "b", 1, beat(1, 1))
}

func TestFreeSaysWhyNot(t *testing.T) {
	v := restarted(words.Register{Admitted: true, Generation: 1, Members: list, LMax: lease})
	if why := v.Free(after(0)); why.Code != words.RestartWaiting || why.N != 1000 {
		t.Errorf("within the restart wait: %v", why)
	}
	granted(t, v, after(lease), "b", 1, beat(1, 1))
	if why := v.Free(after(lease)); why.Code != words.GrantHeld || why.Node != "b" {
		t.Errorf("with a grant outstanding: %v", why)
	}
	if why := v.Free(after(2 * lease)); !why.Zero() {
		t.Errorf("when it is over: %v", why)
	}
}
