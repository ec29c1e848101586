package decide

import (
	"time"

	"redkeep/internal/words"
)

// Message is what agents tell each other about one group. The set is closed; speak/peermsg turns it into bytes. Sender, its
// session and the group travel beside it.
type Message interface{ message() }

// Beat is the holder's heartbeat: it asks every voter for the lease of Lease from when it is received.
type Beat struct {
	Epoch      words.Epoch
	Seq        words.Seq
	Lease      time.Duration
	Generation uint64
	RunID      words.RunID
	Position   words.Position
	Keys       int64
	// InSync are the data nodes whose replica had, when last heard, all that the master had a second earlier.
	InSync []words.Node
	// Row is the lineage's row of this epoch; its Epoch is lower while the holder has not opened yet.
	Row words.Row
	// List is the digest of the voters that Generation numbers; 0 from a release that does not say.
	List uint64
}

// Grant answers a beat: the sender will vote for nobody else for Lease from when it received it.
type Grant struct {
	Epoch   words.Epoch
	Session words.Session // the asker's, echoed (rule session-echo)
	Seq     words.Seq
	Lease   time.Duration
}

// Refuse answers a beat or a vote request with a no.
type Refuse struct {
	Epoch   words.Epoch // the epoch asked for
	Session words.Session
	Seq     words.Seq
	Seen    words.Epoch // the highest that the sender knows
	Reason  words.Reason
	// Generation and Members are the sender's list of voters, for an asker whose list is older.
	Generation uint64
	Members    []words.Node
}

// Claim is what a data node's agent says of its own server, in every round of an election.
type Claim struct {
	Server words.Server
	// Recorded is what the agent's store knew of the server before it restarted.
	Recorded words.Record
	// Fit says that the server could be promoted now; Unfit says why not.
	Fit   bool
	Unfit words.Reason
	// Sealed is the epoch whose holder's link has been cut at this server; the position grows no further in it.
	Sealed words.Epoch
	// Fresh says that the server was copied, and that nothing has come over its link since (rule copy-settles).
	Fresh bool
}

// Status is what every agent tells every other: with each beat, and at once on a change.
type Status struct {
	Seen       words.Epoch
	Generation uint64
	Digest     uint64
	// Free says that the sender would vote: it has no grant outstanding, and its restart wait is over.
	Free bool
	// Settled says that the sender's restart wait is over: it could vote once its grant is.
	Settled bool
	// Promised says that the sender has promised to vote for nobody any more, for a departure that may have come to nothing.
	Promised bool
	// HasVIP says that the group's address is on the sender's host, confirmed.
	HasVIP bool
	// Holder is whom the sender has granted last, in Granted; GrantLeft how long that grant lasts.
	Holder    words.Node
	Granted   words.Epoch
	GrantLeft time.Duration
	// Claim is of the sender's own server; nil on a witness, and while the server has never been seen.
	Claim *Claim
	// Rows are the newest of the lineage that the sender knows.
	Rows  []words.Row
	Fence words.Fence
	// Gate is the sender's gate, for people.
	Gate GateMode
	// Stamp is the sender's clock; Echo is the receiver's last stamp, Held how long ago it came. For round trips.
	Stamp, Echo words.Instant
	Held        time.Duration
	// Version is the sender's release, for people.
	Version string
	// Pause is the latest that the sender knows of.
	Pause words.Pause
	// Settings is the digest of what the nodes' files need not agree on; 0 from a release that does not say.
	Settings uint64
	// List is the digest of the voters that Generation numbers; 0 from a release that does not say.
	List uint64
}

// PreVote asks whether the receiver would vote, without any change of state.
type PreVote struct {
	Round    uint64
	Claim    Claim
	Rows     []words.Row
	Releases []Release
	// Handover asks as if the present holder, who wants to hand over to the sender, had released.
	Handover bool
	// Reclaim asks as the present holder, for an epoch above a vote that was cast ahead.
	Reclaim bool
	Basis   Basis
}

// PreVoted answers a PreVote.
type PreVoted struct {
	Round  uint64
	Yes    bool
	Reason words.Reason
	Seen   words.Epoch
	Claim  *Claim
	Rows   []words.Row
}

// Vote asks for a vote, which is the first grant as well. Holder is always the sender.
type Vote struct {
	Epoch      words.Epoch
	Seq        words.Seq
	Lease      time.Duration
	Generation uint64
	Claim      Claim
	Rows       []words.Row
	Releases   []Release
	Reclaim    bool
	Basis      Basis
	// List is the digest of the voters that Generation numbers; 0 from a release that does not say.
	List uint64
}

// Voted answers a Vote: the sender's vote of the epoch is the asker's, stored, and a grant of Lease with it.
type Voted struct {
	Epoch   words.Epoch
	Session words.Session
	Seq     words.Seq
	Lease   time.Duration
}

// Basis is why a candidate believes that its data may be the group's.
type Basis uint8

// The bases. BasisLineage: its history contains the newest row. BasisFirst: the group was never leased. BasisCold: the
// server restarted, its agent's record speaks for it. BasisChosen: a person chose it.
const (
	BasisLineage Basis = iota
	BasisFirst
	BasisCold
	BasisChosen
)

// Release ends its holder's epoch, for requests up to Seq of Session. Whoever hears it may pass it on.
type Release struct {
	Epoch   words.Epoch
	Holder  words.Node
	Session words.Session
	Seq     words.Seq
	Reason  words.Reason
	// Successor has been made level, up to Offset; the others hold back for it for a moment.
	Successor words.Node
	Offset    words.Offset
	// Unfit says that the holder's server could not be used, and should not be elected for a while.
	Unfit bool
}

// ReleaseSeen acknowledges a Release.
type ReleaseSeen struct {
	Epoch   words.Epoch
	Session words.Session
	Seq     words.Seq
}

// Readmit asks, after a start with an empty or lost store, what the receiver knows (rule readmission).
type Readmit struct{ Nonce uint64 }

// Readmitted answers a Readmit.
type Readmitted struct {
	Nonce      uint64
	Seen       words.Epoch
	Fresh      bool // the sender's own store is as new
	Generation uint64
	Members    []words.Node
	LMax       time.Duration
	// Row is the newest of the lineage: without any, the group was never leased, and nobody's server is to be fenced.
	Row words.Row
	// Pause is the latest that the sender knows of: it must not be forgotten with the store.
	Pause words.Pause
}

// Prepare asks the target of a switchover whether it could take over, in the holder's Epoch.
type Prepare struct {
	Round uint64
	Epoch words.Epoch
}

// Prepared answers a Prepare.
type Prepared struct {
	Round  uint64
	OK     bool
	Reason words.Reason
}

// Level asks the target to answer when its server has applied Offset.
type Level struct {
	Round  uint64
	Offset words.Offset
}

// Leveled answers a Level with where the target has come.
type Leveled struct {
	Round  uint64
	Offset words.Offset
}

// Choose passes a person's choice of a master on to all voters.
type Choose struct {
	Master     words.Node
	AcceptLoss bool
	// Anew says that a group which was left starts again with it.
	Anew bool
}

// Propose tells a voter a new list of voters, pending until it is committed (rule persisted-members).
type Propose struct {
	Epoch      words.Epoch
	Generation uint64
	Members    []words.Node
	Commit     bool
}

// Accepted answers a Propose, once it is on disk.
type Accepted struct {
	Generation uint64
	Commit     bool
}

// Depart asks a voter to let the group go for good, and answers itself when Answer is set. Round numbers the attempt.
type Depart struct {
	Round  uint64
	Answer bool
	// Final says that all have agreed: let go now.
	Final bool
	// Revoke says that the attempt has come to nothing: whoever promised in it, or in one before it, votes again.
	Revoke bool
}

// Pausing tells a voter of a pause, or of the end of one, and answers itself when Answer is set: with the latest that the
// sender has on disk.
type Pausing struct {
	Pause  words.Pause
	Answer bool
}

func (Beat) message()        {}
func (Grant) message()       {}
func (Refuse) message()      {}
func (Status) message()      {}
func (PreVote) message()     {}
func (PreVoted) message()    {}
func (Vote) message()        {}
func (Voted) message()       {}
func (Release) message()     {}
func (ReleaseSeen) message() {}
func (Readmit) message()     {}
func (Readmitted) message()  {}
func (Prepare) message()     {}
func (Prepared) message()    {}
func (Level) message()       {}
func (Leveled) message()     {}
func (Choose) message()      {}
func (Propose) message()     {}
func (Accepted) message()    {}
func (Depart) message()      {}
func (Pausing) message()     {}
