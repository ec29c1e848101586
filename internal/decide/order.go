package decide

import (
	"time"

	"redkeep/internal/words"
)

// Order is something that an agent has its own server do, over a connection that it fenced first (rule order-fence). The
// set is closed. Every order is verified on the same connection before its Ordered comes back.
type Order interface{ order() }

// Look asks the server what it is, now.
type Look struct{}

// Seal cuts a replica from its master and keeps it cut: it follows the dead end, with what it had read applied, and its
// position kept. Where Drain is given, the link may first end by itself for that long, so that what a dead master had sent is not lost.
type Seal struct {
	RunID words.RunID
	Drain time.Duration
}

// Demote has a master whose lease is over follow the dead end: it keeps its data, its history and its position, and takes writes of nobody
// any more, whatever becomes of the gate. It fails where the run ID is another's.
type Demote struct{ RunID words.RunID }

// Promote makes a replica the master, and verifies that it takes writes. It fails where the run ID is another's.
type Promote struct{ RunID words.RunID }

// Follow makes the server a replica of Node's server. It fails where the run ID is another's. It ends a pause.
type Follow struct {
	RunID words.RunID
	Node  words.Node
}

// Pause holds back writes of clients for at most For, where the server can; and answers with the offset that they left, and the replicas' links.
type Pause struct {
	RunID words.RunID
	For   time.Duration
}

// Unpause ends a pause.
type Unpause struct{}

// AwaitOffset waits until the server has applied Offset, for at most For.
type AwaitOffset struct {
	Offset words.Offset
	For    time.Duration
}

// KillClients ends all connections of clients in the server, those of the agent and of replicas excepted.
type KillClients struct{ RunID words.RunID }

// FenceBirth makes the server's own file start it as a replica of the dead end (rule born-fenced).
type FenceBirth struct{}

// UnfenceBirth gives the server's file the role back that the server has now: for leaving.
type UnfenceBirth struct{}

func (Look) order()         {}
func (Seal) order()         {}
func (Demote) order()       {}
func (Promote) order()      {}
func (Follow) order()       {}
func (Pause) order()        {}
func (Unpause) order()      {}
func (AwaitOffset) order()  {}
func (KillClients) order()  {}
func (FenceBirth) order()   {}
func (UnfenceBirth) order() {}
