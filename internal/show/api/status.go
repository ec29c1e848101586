package api

import (
	"net/netip"
	"time"

	"redkeep/internal/words"
)

// The types of this file are the JSON of `redkeep status -o json`, and of the status that travels from an agent to the
// command line. Names are stable. Times of duration end in _ms (whole milliseconds) or _s; sizes end in _bytes; what is
// not known is null or left out, never -1; lists are never null.

// NodeStatus is what one agent sees and is.
type NodeStatus struct {
	Version    int                       `json:"version"`
	Node       words.Node                `json:"node"`
	Release    string                    `json:"release"`
	Session    words.Session             `json:"session"`
	Started    time.Time                 `json:"started"`
	ListenPort uint16                    `json:"listen_port"`
	Addresses  map[words.Node]netip.Addr `json:"addresses"`
	Groups     []GroupStatus             `json:"groups"`
}

// GroupStatus is what the agent sees of one group.
type GroupStatus struct {
	Name      words.Group `json:"name"`
	Self      words.Node  `json:"self"`
	RedisPort uint16      `json:"redis_port"`
	// State is one of readmission, follower, candidate, taking_over, holder, letting_go, left.
	State string `json:"state"`
	// Master is left out while there is none.
	Master      words.Node  `json:"master,omitempty"`
	Epoch       words.Epoch `json:"epoch"`
	Writable    bool        `json:"writable"`
	LeaseMS     int64       `json:"lease_ms"`
	LeaseLeftMS int64       `json:"lease_left_ms"`
	Gate        string      `json:"gate"`
	GateMode    string      `json:"gate_mode"`
	Fence       string      `json:"fence"`
	FenceWhy    string      `json:"fence_why,omitempty"`
	Generation  uint64      `json:"generation"`
	// Pair says that the group has two nodes and no third.
	Pair        bool           `json:"pair,omitempty"`
	CanFailOver bool           `json:"can_fail_over"`
	Why         []ReasonStatus `json:"why"`
	VIPs        []VIPStatus    `json:"vips"`
	// VIPHeld says that the asked node has the addresses, VIPWhy what is wrong with them.
	VIPHeld bool          `json:"vip_held"`
	VIPWhy  *ReasonStatus `json:"vip_why,omitempty"`
	// Pause is left out while the group is not paused.
	Pause      *PauseStatus      `json:"pause,omitempty"`
	Members    []MemberStatus    `json:"members"`
	Candidates []CandidateStatus `json:"candidates"`
	Recent     []NotedEntry      `json:"recent"`
}

// VIPStatus is one of the group's addresses, as the asked node has it.
type VIPStatus struct {
	Address netip.Addr `json:"address"`
	Device  string     `json:"device,omitempty"`
	Held    bool       `json:"held"`
	Trouble string     `json:"trouble,omitempty"`
}

// PauseStatus is a maintenance: nobody is elected unasked until it is over.
type PauseStatus struct {
	// By is the node whose agent was asked.
	By     words.Node `json:"by"`
	ForMS  int64      `json:"for_ms"`
	LeftMS int64      `json:"left_ms"`
	Text   string     `json:"text,omitempty"`
}

// MemberStatus is one node of the group, as the agent last heard of it.
type MemberStatus struct {
	Node  words.Node `json:"node"`
	Voter bool       `json:"voter"`
	Data  bool       `json:"data"`
	// HeardMS is how long ago the node's agent was heard; null where never.
	HeardMS  *int64        `json:"heard_ms"`
	Server   *ServerStatus `json:"server"`
	Fit      bool          `json:"fit"`
	Unfit    *ReasonStatus `json:"unfit,omitempty"`
	LagBytes *int64        `json:"lag_bytes"`
	InSync   bool          `json:"in_sync"`
	Fence    string        `json:"fence"`
	Gate     string        `json:"gate"`
	// Differs says that the node's file defines the group otherwise.
	Differs bool `json:"definition_differs"`
	// OtherSettings says that the node's file has other values of what need not be the same, such as the lease.
	OtherSettings bool `json:"settings_differ"`
	// Differences says in words what differs, the asked node's value first, where both could be asked.
	Differences []string `json:"differences,omitempty"`
	Release     string   `json:"release"`
}

// ServerStatus is what a redis-server said of itself.
type ServerStatus struct {
	RunID        words.RunID     `json:"run_id"`
	Role         string          `json:"role"`
	ReplID       words.ReplID    `json:"replid"`
	Offset       words.Offset    `json:"offset"`
	ReplID2      words.ReplID    `json:"replid2,omitempty"`
	SecondOffset *words.Offset   `json:"second_offset"`
	Keys         *int64          `json:"keys"`
	MasterHost   string          `json:"master_host,omitempty"`
	MasterPort   uint16          `json:"master_port,omitempty"`
	LinkUp       bool            `json:"link_up"`
	Syncing      bool            `json:"syncing"`
	Loading      bool            `json:"loading"`
	Priority     int             `json:"priority"`
	ReadOnly     bool            `json:"read_only"`
	Replicas     []ReplicaStatus `json:"replicas"`
	BornFenced   bool            `json:"born_fenced"`
	// DiskFails says that the server refuses clients' writes (MISCONF), as a master or if it were one.
	DiskFails bool `json:"disk_fails"`
	// Cluster and ActiveReplica are modes of a server that is left alone.
	Cluster       bool   `json:"cluster"`
	ActiveReplica bool   `json:"active_replica"`
	Version       string `json:"version"`
	UptimeS       int64  `json:"uptime_s"`
}

// ReplicaStatus is one replica that a master lists.
type ReplicaStatus struct {
	Address netip.AddrPort `json:"address"`
	Offset  words.Offset   `json:"offset"`
	Online  bool           `json:"online"`
}

// CandidateStatus is one data node's chance in an election held now.
type CandidateStatus struct {
	Node words.Node `json:"node"`
	// Place is 1 for the node that would win; it is left out for one that can't.
	Place int           `json:"place,omitempty"`
	Out   *ReasonStatus `json:"out,omitempty"`
}

// ReasonStatus is a reason, as a value and as a sentence.
type ReasonStatus struct {
	Code     words.Code `json:"code"`
	Node     words.Node `json:"node,omitempty"`
	Other    words.Node `json:"other,omitempty"`
	N        int64      `json:"n,omitempty"`
	M        int64      `json:"m,omitempty"`
	Text     string     `json:"text,omitempty"`
	Sentence string     `json:"sentence"`
}

// NotedEntry is a decision or a refusal with its time.
type NotedEntry struct {
	At     time.Time    `json:"at"`
	AgoMS  int64        `json:"ago_ms"`
	Reason ReasonStatus `json:"reason"`
}
