package words

import "time"

// Register is what a voter keeps of a group on disk. What it says has been told to somebody, or may have been.
type Register struct {
	// Admitted says that this store takes part: it was there from the group's first start, or a majority has readmitted it.
	Admitted bool
	// Members is the list of voters that is in force, and its generation; Pending is one that is being changed to.
	Generation uint64
	Members    []Node
	PendingGen uint64
	Pending    []Node
	// Data are the data nodes that all voters' files last agreed on.
	Data []Node
	// Vote is the last vote that this voter gave.
	Vote Ballot
	// Seen is the highest epoch known when this was written.
	Seen Epoch
	// LMax is the longest lease that this voter may have granted.
	LMax time.Duration
	// Rows are the newest rows of the lineage, oldest first.
	Rows []Row
	// Record is the node's own server as it last was.
	Record Record
	// InSync are the data nodes that were in sync with the holder of InSyncEpoch when this was written.
	InSync      []Node
	InSyncEpoch Epoch
	// Reach is how far that holder's server was known to have come.
	Reach Offset
	// ReachKeys is how many keys it was known to have: a witness has no server to count in.
	ReachKeys int64
	// Promised is the attempt to let go of the group in which this voter has promised to vote for nobody any more; 0 for none.
	Promised uint64
	// Left says that all have promised, and that the group has been let go of.
	Left bool
	// Pause is the latest that is known of; its Left is what was left when this was written, and counts on from the next start.
	Pause Pause
	// BootID is the host's, when this was written.
	BootID string
}

// Ballot is one vote.
type Ballot struct {
	Epoch  Epoch
	Holder Node
	RunID  RunID
}

// Record is what an agent keeps of its own server, since a server that restarted can't tell. It is written at each
// change of role and each second in which the offset moved.
type Record struct {
	Epoch    Epoch // of the newest row that the server's history contained
	Role     Role
	Position Position
	RunID    RunID
	Keys     int64
}

// Leased reports whether the group has had a holder that opened, as far as this register knows. Votes of a first election
// that nobody has opened yet change nothing for clients.
func (r Register) Leased() bool { return len(r.Rows) > 0 }

// Newest returns the row of the highest epoch; the zero Row where there is none.
func (r Register) Newest() Row {
	if len(r.Rows) == 0 {
		return Row{}
	}
	return r.Rows[len(r.Rows)-1]
}
