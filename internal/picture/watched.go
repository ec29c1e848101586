package picture

import "time"

// Watched is what a Sentinel knows of one instance: a master, a replica of one, or another Sentinel. It is what SENTINEL
// MASTER, REPLICAS and SENTINELS tell; fields that a kind does not have are zero.
type Watched struct {
	// Name is the group's for a master, address:port for a replica, the run ID for a Sentinel.
	Name string
	// Host is an address, or a name where those are announced; Port is 0 where the address is known to be wrong.
	Host  string
	Port  int
	RunID string
	Flags WatchedFlags
	// PendingCommands wait for their answers on the instance's command link, which Refcount groups share.
	PendingCommands, Refcount int
	// FailoverState is Sentinel's word for the step of a failover that is under way; "" where none is.
	FailoverState string
	// LastPingSent is the age of the ping that waits for its answer, 0 if none does; LastOKPing and LastPing are the ages of
	// the last answer that shows the instance alive, and of any.
	LastPingSent, LastOKPing, LastPing time.Duration
	// SDown and ODown are for how long the instance has been down, where its flags say so.
	SDown, ODown time.Duration
	DownAfter    time.Duration

	// InfoRefresh is the age of the last INFO, 0 if there was none. RoleReported is master or slave.
	InfoRefresh      time.Duration
	RoleReported     string
	RoleReportedTime time.Duration

	// Of a master.
	ConfigEpoch                        uint64
	Replicas, Sentinels                int
	Quorum                             int
	FailoverTimeout                    time.Duration
	ParallelSyncs                      int
	NotificationScript, ReconfigScript string

	// Of a replica. MasterHost is "" where none was reported.
	MasterLinkDown   time.Duration
	MasterLinkUp     bool
	MasterHost       string
	MasterPort       int
	Priority         int
	Offset           int64
	ReplicaAnnounced bool

	// Of a Sentinel. VotedLeader is "" where it has not told a vote.
	LastHello        time.Duration
	VotedLeader      string
	VotedLeaderEpoch uint64
}

// WatchedFlags are a set of flags.
type WatchedFlags uint16

// The flags, in the order in which Sentinel prints them.
const (
	WatchedSDown WatchedFlags = 1 << iota
	WatchedODown
	WatchedMaster
	WatchedReplica
	WatchedSentinel
	WatchedDisconnected
	WatchedMasterDown
	WatchedFailover
	WatchedPromoted
	WatchedReconfSent
	WatchedReconfInProgress
	WatchedReconfDone
	WatchedForceFailover
	WatchedScriptKillSent
)

// watchedFlagNames are Sentinel's words, which clients match.
var watchedFlagNames = [...]string{
	"s_down", "o_down", "master", "slave", "sentinel", "disconnected", "master_down", "failover_in_progress", "promoted",
	"reconf_sent", "reconf_inprog", "reconf_done", "force_failover", "script_kill_sent",
}

// Append prints the flags, separated by commas.
func (f WatchedFlags) Append(b []byte) []byte {
	first := true
	for i, name := range watchedFlagNames {
		if f&(1<<i) == 0 {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		b, first = append(b, name...), false
	}
	return b
}

// Has reports whether all of the flags are set.
func (f WatchedFlags) Has(all WatchedFlags) bool { return f&all == all }
