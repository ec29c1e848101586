package words

// The codes of reasons. N and M are given where a sentence has numbers.
const (
	// Why a server can't be promoted.
	NotSeen       Code = "not-seen"       // the server has not answered since the agent started
	ServerGone    Code = "server-gone"    // its process has ended, or refuses connections
	ServerSilent  Code = "server-silent"  // N ms without an answer, budget M ms
	ServerStopped Code = "server-stopped" // as silent, and the process is stopped
	ServerBusy    Code = "server-busy"    // as silent, and the process works
	ServerLoading Code = "server-loading"
	ServerSyncing Code = "server-syncing"
	ServerEmpty   Code = "server-empty" // no key where N were recorded
	ServerForeign Code = "server-foreign"
	ServerCluster Code = "server-cluster"        // one of a Redis Cluster, which is not kept
	ServerActive  Code = "server-active-replica" // of KeyDB, which is not kept
	ServerDisk    Code = "server-disk"           // it refuses writes: MISCONF
	NeverPromote  Code = "never-promote"         // priority 0
	Banned        Code = "banned"                // it failed as master; N ms left
	Witness       Code = "witness"
	NoLineage     Code = "no-lineage"
	NotInSync     Code = "not-in-sync"
	NoLink        Code = "no-link"      // a replica's link to its master is down for N ms
	Unreachable   Code = "unreachable"  // no word from the node for N ms
	PeerRefused   Code = "peer-refused" // what comes in Node's name is not taken: Text

	// Why a vote or a grant was refused.
	GrantHeld      Code = "grant-held"     // to Node, for N ms more
	VotedAlready   Code = "voted-already"  // for Node, in epoch N
	OlderEpoch     Code = "older-epoch"    // N asked for, M seen
	RestartWaiting Code = "restart-wait"   // N ms left
	NotAdmitted    Code = "not-admitted"   // the store is empty, or can't be read
	WorseThanOwn   Code = "worse-than-own" // Node's server lacks N bytes that Other's has
	WorseThanLost  Code = "worse-than-lost"
	OtherList      Code = "other-list"    // generation N here, M there
	ListsClash     Code = "lists-clash"   // Node's of generation N is not Other's
	SegmentTaken   Code = "segment-taken" // another router of the pair's was heard; N ms until it counts as gone
	AdvertWrong    Code = "advert-wrong"  // of a router there that can't be understood: Text
	// AdvertForged: more advertisements came in Node's name than its agent has sent.
	AdvertForged Code = "advert-forged"
	// OtherUnheard: Node was started and has not heard the other of its pair, which may have gone on without it.
	OtherUnheard Code = "other-unheard"
	// TieBreakersSilent: none of a pair's tie-breakers answers.
	TieBreakersSilent Code = "tie-breakers-silent"
	EpochReleased     Code = "epoch-released"
	StaleRequest      Code = "stale-request"
	EpochTooHigh      Code = "epoch-too-high" // N asked for, M seen
	HolderHeard       Code = "holder-heard"
	GroupLeft         Code = "group-left"
	Paused            Code = "paused" // by a person at Node, N ms left, for the reason in Text
	NotMember         Code = "not-a-voter"

	// Why a holder let go.
	LeaseLapsed     Code = "lease-lapsed"
	Superseded      Code = "superseded"   // epoch N has been heard of
	FailingBack     Code = "failing-back" // to Node, which is preferred and in sync
	HandedOver      Code = "handed-over"
	AgentStopped    Code = "agent-stopped"
	AgentSlept      Code = "agent-slept" // N ms
	GateFailed      Code = "gate-failed"
	PromotionLate   Code = "promotion-failed"
	RoleTaken       Code = "role-changed"     // somebody else changed the server's role
	InvariantBroken Code = "invariant-broken" // what, in Text
	ServerReplaced  Code = "server-replaced"

	// What happened.
	Elected        Code = "elected"     // Node, epoch N
	Writable       Code = "writable"    // Node, epoch N, from offset M
	HolderLost     Code = "holder-lost" // Node's grant ran out, epoch N
	Released       Code = "released"    // Node, epoch N
	Resumed        Code = "resumed"
	Adopted        Code = "adopted"
	Sealed         Code = "sealed"
	Following      Code = "following"
	ReadsOpen      Code = "reads-open"
	LosesBytes     Code = "loses-bytes"    // Node's server holds N bytes beyond where epoch M began
	LossyElection  Code = "lossy-election" // Node won without N bytes recorded at Other, above epoch M
	SwitchedOver   Code = "switched-over"
	SwitchCalled   Code = "switchover-called-off"
	RecoveredAlone Code = "recovered-alone"
	Readmittance   Code = "readmitted"
	ListCommitted  Code = "list-committed" // generation N
	GateBroken     Code = "gate-broken"    // by Text
	GateRestored   Code = "gate-restored"
	PauseLifted    Code = "pause-lifted" // by a person at Node
	PauseOver      Code = "pause-over"   // that Node had begun

	// What became of the virtual address.
	VIPHeld    Code = "vip-held"    // Node has it, epoch N
	VIPTaken   Code = "vip-taken"   // Text (address and MAC) answers for it: Node is the master without it
	VIPFailed  Code = "vip-failed"  // it can't be set or taken off: Text
	VIPClaimed Code = "vip-claimed" // Text answers for it too, though Node has it
	VIPBroken  Code = "vip-broken"  // Text says what was done to it, and by whom
	VIPExpired Code = "vip-expired" // the kernel ended it after its life, Text, and it has been put back
	VIPMissing Code = "vip-missing" // Node is the master and has not said that it has the address
	VIPRemoved Code = "vip-removed" // it goes with Redkeep

	// Why a group waits.
	NoMajority      Code = "no-majority"       // N of M voters heard
	ServersDiffer   Code = "servers-differ"    // several masters with data: a person must choose
	WaitsForServers Code = "waits-for-servers" // Node's is missing
	ColdWaiting     Code = "cold-waiting"      // for Node, N ms left
	DataMissing     Code = "data-missing"      // Node's server had N bytes that no server here has
	LossNotAccepted Code = "loss-not-accepted" // a choice that may lose what Node's server had acknowledged
	FollowerOnly    Code = "follower-only"
	Elections       Code = "electing"
	SomebodyBetter  Code = "somebody-better" // Node
	PauseOvertaken  Code = "pause-overtaken" // by another request, at Node
)
