package sentinelconf

import (
	"strconv"
	"strings"
	"time"

	"redkeep/internal/words"
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
	// Command is as it was written; case doesn't matter in it.
	Command, Name string
}

// State is what a Sentinel keeps in its file between its runs.
type State struct {
	// Masters are in the order of their monitor lines, and are written in it.
	Masters []*Master
	// MyID is this Sentinel's own, or "" in a file that was never run.
	MyID         string
	CurrentEpoch uint64
	// AnnounceIP and AnnouncePort are what others are told of this Sentinel, "" and 0 for what its connections show.
	AnnounceIP   string
	AnnouncePort int
	// SentinelUser and SentinelPass are the login at other Sentinels.
	SentinelUser string
	SentinelPass words.Secret
	// DenyScriptsReconfig forbids SENTINEL SET to change scripts; it is the default.
	DenyScriptsReconfig                 bool
	ResolveHostnames, AnnounceHostnames bool

	// UsualDownAfter and UsualFailoverTimeout are what SENTINEL DEBUG has made of the defaults; times that are equal to
	// them are not written. Zero is DefaultDownAfter and DefaultFailoverTimeout.
	UsualDownAfter, UsualFailoverTimeout time.Duration
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
	AuthPass                                    words.Secret
	Renames                                     []Rename
	ConfigEpoch, LeaderEpoch                    uint64
	// Replicas are in the file's order, each once: redis-sentinel has been seen to write one twice, and then to refuse
	// its own file.
	Replicas []Address
	// Sentinels are the others, in the file's order.
	Sentinels []Peer
}
