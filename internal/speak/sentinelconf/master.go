package sentinelconf

import (
	"strconv"
	"strings"
	"time"
)

// Redis Sentinel's defaults for what a master's lines don't say.
const (
	DefaultDownAfter       = 30 * time.Second
	DefaultFailoverTimeout = 3 * time.Minute
	DefaultParallelSyncs   = 1
)

// Address is where a process is said to be. Host is a name where the file resolves those.
type Address struct {
	Host string
	// Port is 0 to 65535; 0 is an address known to be wrong.
	Port int
}

// String joins the two, an IPv6 address in brackets.
func (a Address) String() string {
	if strings.Contains(a.Host, ":") {
		return "[" + a.Host + "]:" + strconv.Itoa(a.Port)
	}
	return a.Host + ":" + strconv.Itoa(a.Port)
}

// Peer is another Sentinel.
type Peer struct {
	Addr Address
	// ID is its myid.
	ID string
}

// Rename is a command that the master's servers know by another name.
type Rename struct {
	// Command is in capitals.
	Command, Name string
}

// Master is one monitored master with all that the file says of it.
type Master struct {
	Name string
	Addr Address
	// Quorum is how many Sentinels must agree that the master is down, 1 or more.
	Quorum int
	// Line is that of its monitor statement.
	Line int

	// DownAfter and FailoverTimeout are above 0, RebootDownAfter is 0 (off) or more.
	DownAfter, FailoverTimeout, RebootDownAfter time.Duration
	ParallelSyncs                               int
	NotificationScript, ReconfigScript          string
	AuthUser                                    string
	AuthPass                                    Secret
	Renames                                     []Rename
	ConfigEpoch, LeaderEpoch                    uint64
	// Replicas are in the file's order, each once: redis-sentinel has been seen to write one twice, and then to refuse
	// its own file.
	Replicas []Address
	// Sentinels are the others, in the file's order.
	Sentinels []Peer
}
