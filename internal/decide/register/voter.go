package register

import (
	"slices"
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/words"
)

// maxJump is how far above the highest epoch seen a request may be. Nobody gets there by elections.
const maxJump = 1 << 20

// Voter is one node's vote and grant in one group.
type Voter struct {
	setup decide.Setup
	// Register is what is on disk, or on its way there.
	Register words.Register
	// Grant is the last that was given; it is forgotten by a restart, which the restart wait covers.
	Grant  Grant
	seen   words.Epoch
	tombs  map[words.Node]tomb
	last   map[words.Node]mark
	settle words.Instant // the restart wait's end
	// stored is the longest lease that is known to be on disk as Register.LMax.
	stored time.Duration
}

// Grant is a promise to vote for nobody else until an instant.
type Grant struct {
	Holder   words.Node
	Epoch    words.Epoch
	Until    words.Instant
	Released bool
	at       mark
}

// mark orders the requests of one holder.
type mark struct {
	session words.Session
	seq     words.Seq
}

func (m mark) above(o mark) bool {
	return m.session > o.session || m.session == o.session && m.seq > o.seq
}

// tomb is what a holder has released: no request of that epoch up to the mark is granted again.
type tomb struct {
	epoch words.Epoch
	mark
}

// New returns the voter of a register as it was read, at the instant of the start.
func New(setup decide.Setup, boot decide.Boot, at words.Instant) *Voter {
	v := &Voter{
		setup:    setup,
		Register: boot.Register,
		tombs:    map[words.Node]tomb{},
		last:     map[words.Node]mark{},
		settle:   at.Add(restartWait(setup, boot)),
		stored:   boot.Register.LMax,
	}
	v.seen = max(boot.Register.Seen, boot.Register.Vote.Epoch, boot.Register.Newest().Epoch)
	return v
}

// restartWait is how long a restarted voter votes for nobody: the longest lease that it may have granted (rules
// restart-wait, l-max). A host that was booted longer ago could skip it; it does not, since the wait is also the time in
// which it hears of what the others did meanwhile.
func restartWait(setup decide.Setup, boot decide.Boot) time.Duration {
	if setup.Off.Off(decide.RestartWait) {
		return 0
	}
	wait := boot.Register.LMax
	if setup.Off.Off(decide.LMax) {
		wait = min(wait, setup.Lease)
	}
	return wait
}

// Seen returns the highest epoch known.
func (v *Voter) Seen() words.Epoch { return v.seen }

// Saw raises the highest epoch known. An absurd one is ignored, and reported by false.
func (v *Voter) Saw(e words.Epoch) bool {
	if e > v.seen+maxJump {
		return false
	}
	v.seen = max(v.seen, e)
	return true
}

// otherList says that an asker counts by another list of voters than this one: by its generation, or, of lists of one generation,
// by its digest, where the asker's release tells it (rule persisted-members).
func (v *Voter) otherList(generation, list uint64) words.Reason {
	own := v.Register.Generation
	same := generation == own && (list == 0 || list == words.ListDigest(v.Register.Members))
	if same || v.setup.Off.Off(decide.PersistedMembers) {
		return words.Reason{}
	}
	return words.Reason{Code: words.OtherList, Node: v.setup.Self, N: int64(own), M: int64(generation)}
}

// Stored takes note that a register with this longest lease is on disk: grants of that length may be given.
func (v *Voter) Stored(longest time.Duration) { v.stored = max(v.stored, longest) }

// Settled returns the end of the restart wait.
func (v *Voter) Settled() words.Instant { return v.settle }

// Settle starts a wait anew, as after a readmission.
func (v *Voter) Settle(until words.Instant) { v.settle = max(v.settle, until) }

// Granting reports to whom an unexpired, unreleased grant is outstanding.
func (v *Voter) Granting(at words.Instant) (Grant, bool) {
	g := v.Grant
	return g, g.Holder != "" && !g.Released && at < g.Until
}

// Free reports whether this voter could vote for anybody at all now, and if not, why.
func (v *Voter) Free(at words.Instant) words.Reason {
	if r := v.votes(); !r.Zero() {
		return r
	}
	if at < v.settle {
		return words.Reason{Code: words.RestartWaiting, Node: v.setup.Self, N: v.settle.Sub(at).Milliseconds()}
	}
	if g, held := v.Granting(at); held && !v.setup.Off.Off(decide.VoteWaitsGrant) {
		return words.Reason{Code: words.GrantHeld, Node: g.Holder, N: g.Until.Sub(at).Milliseconds()}
	}
	return words.Reason{}
}

// votes says why this voter has no vote. One that has promised to leave votes for nobody, and still grants the last holder.
func (v *Voter) votes() words.Reason {
	if v.Register.Promised > 0 || v.Register.Left {
		return words.Reason{Code: words.GroupLeft, Node: v.setup.Self}
	}
	return v.member()
}

func (v *Voter) member() words.Reason {
	switch {
	case !v.Register.Admitted && !v.setup.Off.Off(decide.Readmission):
		return words.Reason{Code: words.NotAdmitted, Node: v.setup.Self}
	case !slices.Contains(v.Register.Members, v.setup.Self) && !slices.Contains(v.Register.Pending, v.setup.Self):
		return words.Reason{Code: words.NotMember, Node: v.setup.Self, N: int64(v.Register.Generation)}
	}
	return words.Reason{}
}
