package words

import (
	"net/netip"
	"time"
)

// Server is what was last seen of one redis-server: the part of INFO that decisions rest on.
type Server struct {
	RunID RunID
	Role  Role
	Position
	// Keys is the sum over all databases; -1 while it is not known.
	Keys int64
	// Master is the address that a replica follows, and MasterPort its port; empty and 0 on a master.
	Master     string
	MasterPort uint16
	// LinkUp says that a replica's link to its master stands (master_link_status:up).
	LinkUp bool
	// Syncing says that a replica is in a full synchronisation: its data are in pieces and it has no rank.
	Syncing bool
	// Loading says that the server is reading its data from disk.
	Loading bool
	// Priority is replica_priority; 0 means never promote.
	Priority int
	// ReadOnly is replica-read-only.
	ReadOnly bool
	// Replicas are the replicas that a master lists.
	Replicas []Replica
	// BornFenced says that the server's own file starts it as a replica of a dead end.
	BornFenced bool
	// Cluster says that the server is one of a Redis Cluster (redis_mode:cluster), which fails over by itself.
	Cluster bool
	// Active says that the server takes writes as a replica, and merges what it gets (active-replica of KeyDB).
	Active bool
	// DiskFails says that the server refuses clients' writes (MISCONF), as a master or if it were one: it could not write its
	// data to disk.
	DiskFails bool
	// Version is redis_version, for people.
	Version string
	// Uptime is uptime_in_seconds.
	Uptime time.Duration
}

// Replica is one slaveN line of a master's INFO.
type Replica struct {
	Addr   netip.AddrPort
	Offset Offset
	Online bool
}

// DeadEnd is where a fenced server looks for its master: a port of the loopback where nobody listens. A server that
// follows it takes no writes and hands its data to nobody, but keeps them, and its position.
const (
	DeadEnd     = "127.0.0.1"
	DeadEndPort = 1
)

// Unkept says why a server of this mode is left alone, whatever its data are: it is given no order and its port no gate,
// since what it does of itself or makes of an order is not what the lease rests on. The code is empty for one that can be kept.
func (s Server) Unkept() Code {
	switch {
	case s.Cluster:
		return ServerCluster
	case s.Active:
		return ServerActive
	}
	return ""
}

// Fenced reports whether the server follows the dead end.
func (s Server) Fenced() bool {
	return s.Role == RoleReplica && s.Master == DeadEnd && s.MasterPort == DeadEndPort
}
