package decide

import (
	"time"

	"redkeep/internal/words"
)

// Request is something that a person, or the agent's shutdown, asks of a machine. The set is closed.
type Request interface{ request() }

// Switchover moves the master to To, or to the best replica where To is empty, without losing an acknowledged write.
type Switchover struct{ To words.Node }

// Bootstrap names the node whose server is to be the master of a group that has none and can't choose by itself. AcceptLoss
// lets it win although data recorded elsewhere are missing from it.
type Bootstrap struct {
	Master     words.Node
	AcceptLoss bool
}

// Recover makes this node the group's only voter, after a person has made sure that the others are down for good.
type Recover struct{ AcceptLoss bool }

// Leave takes Redkeep away from the group: every voter's agent lets its server be, in the role that it has.
type Leave struct{}

// PauseFailover has nobody elected unasked for a while of up to words.LongestPause: leases are kept, and switchovers go on.
type PauseFailover struct {
	For  time.Duration
	Text string
}

// ResumeFailover ends a pause.
type ResumeFailover struct{}

// Stop hands a master over, if it is here, and ends with the gate as a server without an agent needs it.
type Stop struct{}

// Suspend flushes the register and leaves everything as it is, for a restart of the agent.
type Suspend struct{}

func (Switchover) request()     {}
func (Bootstrap) request()      {}
func (Recover) request()        {}
func (Leave) request()          {}
func (PauseFailover) request()  {}
func (ResumeFailover) request() {}
func (Stop) request()           {}
func (Suspend) request()        {}
