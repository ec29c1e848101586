package register

import (
	"testing"
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/words"
)

func TestGrantLastsForTheLeaseAskedFor(t *testing.T) {
	v := fresh()
	b := beat(1, 1)
	b.Lease = 300 * time.Millisecond
	granted(t, v, after(0), "b", 1, b)
	if _, held := v.Granting(after(299 * time.Millisecond)); !held {
		t.Error("the grant ended before the lease that was asked for")
	}
	if _, held := v.Granting(after(300 * time.Millisecond)); held {
		t.Error("the grant outlasts the lease that was asked for")
	}
}

func TestGrantRefusedAfterVoteInLaterEpoch(t *testing.T) {
	v := fresh()
	voted(t, v, after(0), "c", vote(2, 1))
	refused(t, v, after(time.Hour), "b", 1, beat(1, 1), words.OlderEpoch)

	v = fresh(decide.RefuseOlder, decide.GrantMonotone)
	voted(t, v, after(0), "c", vote(2, 1))
	granted(t, v, after(time.Hour), "b", 1, beat(1, 1))
}

// TestGrantRefusedAfterGrantInLaterEpoch is the hole that only three epochs close together show: a grant of an old epoch must
// not replace the record of a newer one, or its release frees the vote (grant-monotone).
func TestGrantRefusedAfterGrantInLaterEpoch(t *testing.T) {
	v := fresh()
	granted(t, v, after(0), "b", 1, beat(2, 1))
	refused(t, v, after(time.Hour), "a", 1, beat(1, 1), words.OlderEpoch)
}

func TestGrantGoesToTheHolderVotedFor(t *testing.T) {
	v := fresh()
	voted(t, v, after(0), "c", vote(2, 1))
	refused(t, v, after(time.Hour), "b", 1, beat(2, 1), words.VotedAlready)
	granted(t, v, after(0), "c", 1, beat(2, 2))
}

func TestGrantGoesToTheFirstHolderOfItsEpoch(t *testing.T) {
	v := fresh()
	granted(t, v, after(0), "b", 1, beat(2, 1))
	refused(t, v, after(time.Hour), "c", 1, beat(2, 1), words.VotedAlready)
}

func TestGrantRefusedUnderAnotherList(t *testing.T) {
	b := beat(1, 1)
	b.Generation = 2
	refused(t, fresh(), after(0), "b", 1, b, words.OtherList)
}

func TestGrantRefusedInAnAbsurdEpoch(t *testing.T) {
	v := fresh()
	refused(t, v, after(0), "b", 1, beat(maxJump+1, 1), words.EpochTooHigh)
	if v.Seen() != 0 {
		t.Errorf("an absurd epoch was adopted: %d", v.Seen())
	}
	granted(t, v, after(0), "b", 1, beat(maxJump, 1))
}

// TestGrantedRequestIsGrantedAgain: its answer was lost. One that it has overtaken is not.
func TestGrantedRequestIsGrantedAgain(t *testing.T) {
	v := fresh()
	granted(t, v, after(0), "b", 1, beat(1, 5))
	granted(t, v, after(10*time.Millisecond), "b", 1, beat(1, 5))
	refused(t, v, after(20*time.Millisecond), "b", 1, beat(1, 4), words.StaleRequest)
	granted(t, v, after(30*time.Millisecond), "b", 2, beat(1, 1))
	refused(t, v, after(40*time.Millisecond), "b", 1, beat(1, 9), words.StaleRequest)
}

func TestReleaseEndsTheGrantThatItNames(t *testing.T) {
	v := fresh()
	granted(t, v, after(0), "b", 1, beat(3, 7))
	if !v.Release(after(1), decide.Release{Epoch: 3, Holder: "b", Session: 1, Seq: 7}) {
		t.Fatal("a release of the outstanding grant ended none")
	}
	if _, held := v.Granting(after(1)); held {
		t.Error("the released grant holds still")
	}
	if v.Release(after(1), decide.Release{Epoch: 3, Holder: "b", Session: 1, Seq: 7}) {
		t.Error("a second copy of a release ended something")
	}
	voted(t, v, after(2), "c", vote(4, 1))
}

// TestReleaseLeavesWhatItDoesNotName: an older epoch's, an earlier session's, an earlier request's, another holder's.
func TestReleaseLeavesWhatItDoesNotName(t *testing.T) {
	for name, r := range map[string]decide.Release{
		"an older epoch":     {Epoch: 2, Holder: "b", Session: 2, Seq: 7},
		"an earlier session": {Epoch: 3, Holder: "b", Session: 1, Seq: 99},
		"an earlier request": {Epoch: 3, Holder: "b", Session: 2, Seq: 6},
		"another holder":     {Epoch: 3, Holder: "c", Session: 2, Seq: 7},
		"an absurd epoch":    {Epoch: 1 << 40, Holder: "b", Session: 2, Seq: 7},
	} {
		v := fresh()
		granted(t, v, after(0), "b", 2, beat(3, 7))
		if v.Release(after(1), r) {
			t.Errorf("%s: the release ended the grant", name)
		}
		if _, held := v.Granting(after(1)); !held {
			t.Errorf("%s: the grant is gone", name)
		}
		if v.Seen() != 3 {
			t.Errorf("%s: the highest epoch seen became %d", name, v.Seen())
		}
	}
}

// TestTombstoneRefusesBeatsSentBefore: datagrams arrive late and twice. A later session may hold the epoch again, as a restarted
// agent does that resumes.
func TestTombstoneRefusesBeatsSentBefore(t *testing.T) {
	v := fresh()
	v.Release(after(0), decide.Release{Epoch: 3, Holder: "b", Session: 1, Seq: 7})
	refused(t, v, after(time.Hour), "b", 1, beat(3, 6), words.EpochReleased)
	refused(t, v, after(time.Hour), "b", 1, beat(3, 7), words.EpochReleased)
	refused(t, v, after(time.Hour), "b", 1, beat(2, 7), words.EpochReleased)
	if !v.Released("b", 3) || v.Released("b", 4) || v.Released("c", 3) {
		t.Error("Released does not say what was released")
	}
	granted(t, v, after(time.Hour), "b", 2, beat(3, 1))
	if v.Released("b", 3) {
		t.Error("an epoch that a later session holds again counts as released")
	}
}

func TestTombstoneKeepsTheHighestRelease(t *testing.T) {
	v := fresh()
	v.Release(after(0), decide.Release{Epoch: 3, Holder: "b", Session: 1, Seq: 7})
	v.Release(after(0), decide.Release{Epoch: 2, Holder: "b", Session: 1, Seq: 3})
	v.Release(after(0), decide.Release{Epoch: 3, Holder: "b", Session: 1, Seq: 5})
	refused(t, v, after(0), "b", 1, beat(3, 7), words.EpochReleased)
}

// TestLongestLeaseIsOnDiskFirst: the restart wait rests on it (l-max). A beat that comes while the write is under way, or after
// it failed, is not granted either.
func TestLongestLeaseIsOnDiskFirst(t *testing.T) {
	v := fresh()
	long := beat(1, 1)
	long.Lease = 3 * lease
	for range 3 {
		if why, persist := v.Beat(after(0), "b", 1, long); !why.Zero() || !persist {
			t.Fatalf("a lease longer than any before: %v, persist %v", why, persist)
		}
		if _, held := v.Granting(after(1)); held {
			t.Fatal("it was granted before it was on disk")
		}
	}
	if v.Register.LMax != 3*lease {
		t.Fatalf("the register to write says %v", v.Register.LMax)
	}
	v.Stored(3 * lease)
	granted(t, v, after(0), "b", 1, long)
}

// TestVoteAloneDoesNotAllowLongerGrants: a vote raises the longest lease in memory; until it is on disk beats wait for it too.
func TestVoteAloneDoesNotAllowLongerGrants(t *testing.T) {
	v := fresh()
	q := vote(2, 1)
	q.Lease = 3 * lease
	voted(t, v, after(0), "b", q)
	b := beat(2, 2)
	b.Lease = 3 * lease
	if _, persist := v.Beat(after(1), "b", 1, b); !persist {
		t.Error("a beat was granted on a lease that no disk knows")
	}
}

// TestAnotherListOfOneGeneration: two persons recovered on both sides of a cut. An older release says no digest.
func TestAnotherListOfOneGeneration(t *testing.T) {
	v := fresh()
	b := beat(1, 1)
	b.List = words.ListDigest([]words.Node{"b"})
	refused(t, v, after(0), "b", 1, b, words.OtherList)
	b.List = words.ListDigest(v.Register.Members)
	granted(t, v, after(0), "b", 1, b)

	v = fresh()
	q := vote(2, 1)
	q.List = words.ListDigest([]words.Node{"b"})
	if why := v.Vote(after(0), "b", 1, q); why.Code != words.OtherList {
		t.Errorf("a vote by another list: %v", why)
	}
	q.List = 0
	voted(t, v, after(0), "b", q)
}
