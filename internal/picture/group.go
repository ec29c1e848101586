package picture

import (
	"net/netip"
	"time"

	"redkeep/internal/words"
)

// State is what a node does in its group.
type State string

// The states.
const (
	StateReadmit   State = "readmission"
	StateFollower  State = "follower"
	StateCandidate State = "candidate"
	StateTakeover  State = "taking over"
	StateHolder    State = "holder"
	StateLetGo     State = "letting go"
	StateLeft      State = "left"
)

// Group is what one node sees of one group.
type Group struct {
	Name words.Group
	Self words.Node
	// RedisPort is the port of the group's servers, the same on every data node.
	RedisPort uint16
	State     State
	// Master is the holder of Epoch; empty while none is known. Writable says that it has been opened for writing, and,
	// on the master's own node, that its hold lasts.
	Master   words.Node
	Epoch    words.Epoch
	Writable bool
	// HoldLeft is how long this node's hold lasts from now on, 0 on the others; Lease is the lease's length.
	HoldLeft, Lease time.Duration
	// Gate and GateMode are this node's gate as its hand last set it ("slot 3"), and the group's gate setting (on, watch, off).
	Gate, GateMode string
	Fence          words.Fence
	FenceWhy       string
	// VIPs are the group's virtual addresses as this node has them.
	VIPs []VIP
	// HasVIP and VIPWhy are what the core, which does not know the addresses, says of all of them: whether they are on this
	// node, and what is wrong with them.
	HasVIP     bool
	VIPWhy     words.Reason
	Generation uint64
	Members    []Member
	// Pair says that the group has two nodes and no third: in a partition both may become master.
	Pair bool
	// Ready says that a failover could succeed now; Why says why not, or why there is no master.
	Ready bool
	Why   []words.Reason
	// Pause is a person's word that nobody is to be elected unasked; its zero value is that of a group which is not paused.
	Pause Pause
	// Candidates is the order in which nodes would win now.
	Candidates []Candidate
	// Recent are the last decisions and refusals, oldest first.
	Recent []Noted
}

// Pause is a maintenance that is under way.
type Pause struct {
	// By is the node whose agent was asked.
	By words.Node
	// For is how long it lasts altogether, Left how much of that is left.
	For, Left time.Duration
	// Text is the person's reason; it may be empty.
	Text string
}

// VIP is one virtual address on this node.
type VIP struct {
	Addr netip.Addr
	// Dev is the interface that carries it, or would.
	Dev string
	// Held says that this node has the address now.
	Held bool
	// Trouble says in words why it has not, though its group is writable here, or who else claims it; empty otherwise.
	Trouble string
}

// Member is one node of the group as this node sees it.
type Member struct {
	Node  words.Node
	Voter bool
	Data  bool
	// Heard is how long ago the node's agent was last heard; negative where never; 0 for this node itself.
	Heard  time.Duration
	Server words.Server
	// Known says that Server has been told at all.
	Known bool
	Fit   bool
	Unfit words.Reason
	// Lag is how many bytes of the master's history the server had not applied when last heard; -1 where that can't be told.
	Lag    int64
	InSync bool
	Fence  words.Fence
	Gate   string
	// Differs says that the node's file defines the group otherwise than this node's.
	Differs bool
	// OtherSettings says that its file has other values of what need not be the same, such as the lease.
	OtherSettings bool
	// Differences says in words what differs; it is only filled in by whoever has asked both nodes.
	Differences []string
	Version     string
}

// Candidate is one data node's chance.
type Candidate struct {
	Node words.Node
	// Place is 1 for the node that would win; 0 for one that can't, and Out says why.
	Place int
	Out   words.Reason
}

// Noted is a reason with its time.
type Noted struct {
	At     time.Time
	Ago    time.Duration
	Reason words.Reason
}

// Member returns the named member.
func (g Group) Member(n words.Node) (Member, bool) {
	for _, m := range g.Members {
		if m.Node == n {
			return m, true
		}
	}
	return Member{}, false
}
