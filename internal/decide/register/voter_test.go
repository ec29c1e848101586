package register

import (
	"testing"
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/words"
)

const (
	lease = time.Second
	start = words.Instant(10 * time.Second)
)

var list = []words.Node{"a", "b", "c"}

// after is an instant that long after the voter's start.
func after(d time.Duration) words.Instant { return start.Add(d) }

// fresh is an admitted voter that has promised nothing yet, and whose disk knows leases of up to a second.
func fresh(off ...decide.Rule) *Voter {
	return restarted(words.Register{Admitted: true, Generation: 1, Members: list}, off...)
}

// restarted is the voter of a register as its disk had it.
func restarted(r words.Register, off ...decide.Rule) *Voter {
	rules := decide.Rules{}
	for _, o := range off {
		rules[o] = true
	}
	v := New(decide.Setup{Self: "a", Voters: list, Lease: lease, Off: rules}, decide.Boot{Session: 1, Register: r}, start)
	v.Stored(max(lease, r.LMax))
	return v
}

func beat(e words.Epoch, q words.Seq) decide.Beat {
	return decide.Beat{Epoch: e, Seq: q, Lease: lease, Generation: 1}
}

func vote(e words.Epoch, q words.Seq) decide.Vote {
	return decide.Vote{Epoch: e, Seq: q, Lease: lease, Generation: 1}
}

// granted gives a grant that must be given.
func granted(t *testing.T, v *Voter, at words.Instant, from words.Node, s words.Session, b decide.Beat) {
	t.Helper()
	if why, persist := v.Beat(at, from, s, b); !why.Zero() || persist {
		t.Fatalf("beat of %s in epoch %d: %v (persist %v), want a grant", from, b.Epoch, why, persist)
	}
}

// refused makes sure that a beat is refused for the reason given.
func refused(t *testing.T, v *Voter, at words.Instant, from words.Node, s words.Session, b decide.Beat, want words.Code) {
	t.Helper()
	before := v.Grant
	if why, persist := v.Beat(at, from, s, b); why.Code != want || persist {
		t.Fatalf("beat of %s in epoch %d: %v (persist %v), want %s", from, b.Epoch, why, persist, want)
	}
	if v.Grant != before {
		t.Fatalf("the refused beat of %s changed the grant: %+v", from, v.Grant)
	}
}

// voted gives a vote that must be given.
func voted(t *testing.T, v *Voter, at words.Instant, from words.Node, q decide.Vote) {
	t.Helper()
	if why := v.Vote(at, from, 1, q); !why.Zero() {
		t.Fatalf("vote for %s in epoch %d: %v, want it given", from, q.Epoch, why)
	}
}

// denied makes sure that a vote is refused for the reason given.
func denied(t *testing.T, v *Voter, at words.Instant, from words.Node, q decide.Vote, want words.Code) {
	t.Helper()
	before := v.Register.Vote
	if why := v.Vote(at, from, 1, q); why.Code != want {
		t.Fatalf("vote for %s in epoch %d: %v, want %s", from, q.Epoch, why, want)
	}
	if v.Register.Vote != before {
		t.Fatalf("the refused request of %s changed the vote: %+v", from, v.Register.Vote)
	}
}
