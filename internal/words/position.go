package words

import "fmt"

// ReplID is the 40 hex characters that name one replication history.
type ReplID string

// Offset counts the bytes of a replication history.
type Offset int64

// Position is how far a server has come, and in which history: what INFO replication says of it.
type Position struct {
	ReplID ReplID
	Offset Offset
	// ReplID2 is the history that ReplID continues, which was followed for the bytes below Second.
	ReplID2 ReplID
	// Second is INFO's second_repl_offset: the first offset that no longer belongs to ReplID2; -1 when there is none.
	Second Offset
}

// String prints the history's first eight characters and the offset.
func (p Position) String() string { return fmt.Sprintf("%.8s:%d", string(p.ReplID), p.Offset) }

// Row is one entry of the lineage: epoch e's holder opened history ReplID for writing at offset From.
type Row struct {
	Epoch  Epoch
	Holder Node
	RunID  RunID
	ReplID ReplID
	From   Offset
	// Continues is the history that ReplID continues up to From; empty where it began anew, as after a restart.
	Continues ReplID
}

// String prints the row as the history shows it.
func (r Row) String() string {
	return fmt.Sprintf("epoch %d: %s from %.8s:%d", r.Epoch, r.Holder, string(r.ReplID), r.From)
}
