package sentinel

import "time"

// Request is what a client may ask the machine to do. The face has checked the form of all arguments.
type Request interface{ request() }

type (
	// IsMasterDown is another Sentinel's question, with RunID other than * for a vote, too.
	IsMasterDown struct {
		Addr  Address
		Epoch uint64
		RunID string
	}
	// Hail is a hello that came as PUBLISH. It has no answer.
	Hail struct{ Hello Hello }
	// Failover switches a group over without asking the others. Coordinated has the master hand over itself: it holds back writes
	// until the replica has all that it has.
	Failover struct {
		Group       string
		Coordinated bool
	}
	// Monitor adds a group.
	Monitor struct {
		Group  string
		Addr   Address
		Quorum int
	}
	// Remove forgets a group.
	Remove struct{ Group string }
	// Reset forgets the replicas, Sentinels and any failover of the groups that Match accepts.
	Reset struct{ Match func(group string) bool }
	// Set changes options of a group, in their order, up to the first that can't be.
	Set struct {
		Group   string
		Options []Option
	}
	// Configure changes one option of the whole: SENTINEL CONFIG SET.
	Configure struct {
		Option, Text string
		Number       int
	}
	// SetPeriod changes one of the Periods, by its name in SENTINEL DEBUG in lower case.
	SetPeriod struct {
		Name  string
		Value time.Duration
	}
	// Simulate sets when the process is to crash.
	Simulate struct{ AfterElection, AfterPromotion bool }
	// Flush writes the file.
	Flush struct{}
)

// Option is one of SENTINEL SET. Typed is its Name as the client wrote it, for the event. Number is its value where that is one, in
// milliseconds for times; Second is the new name in rename-command.
type Option struct {
	Name, Typed  string
	Number       int
	Text, Second string
}

func (IsMasterDown) request() {}
func (Hail) request()         {}
func (Failover) request()     {}
func (Monitor) request()      {}
func (Remove) request()       {}
func (Reset) request()        {}
func (Set) request()          {}
func (Configure) request()    {}
func (SetPeriod) request()    {}
func (Simulate) request()     {}
func (Flush) request()        {}

// Answer is what became of a Request.
type Answer struct {
	Refusal Refusal
	// Count is how many groups a Reset met.
	Count int
	// Down, Leader and Epoch answer IsMasterDown. Leader is * where no vote was asked for.
	Down   bool
	Leader string
	Epoch  uint64
}

// Refusal says why a request was not done.
type Refusal uint8

// The refusals.
const (
	// Accepted is none.
	Accepted Refusal = iota
	NoSuchMaster
	DuplicateMaster
	InProgress
	NoGoodReplica
	// NoHandOver is a coordinated failover of a master that can't hand over.
	NoHandOver
	// NoEpoch is a failover for which there is no epoch left.
	NoEpoch
	// ScriptsDenied is deny-scripts-reconfig.
	ScriptsDenied
	// BadNotifier and BadReconfigurer are scripts that can't be run.
	BadNotifier
	BadReconfigurer
	// UnknownOption is one that there is not.
	UnknownOption
	// NotSaved is done, and not on disk.
	NotSaved
	// Observing is a request to change something in observe mode.
	Observing
)
