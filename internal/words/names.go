package words

// Group names one master and its replicas. Sentinel calls this the master name.
type Group string

// Node names a host with an agent, as in the file's nodes map.
type Node string

// Epoch numbers elections of one group. Each is won by at most one holder; a later one outranks every earlier one.
type Epoch uint64

// Session numbers the starts of one agent. It grows by one at each start and is on disk before the first message leaves.
type Session uint64

// Seq numbers the lease requests (beats and votes) of one session.
type Seq uint64

// RunID is the 40 hex characters with which one redis-server process names itself in INFO. A restart has a new one.
type RunID string

// StoreID is the random name that a state directory got when it was made. A copy or a replacement shows by it.
type StoreID string

// Role is what a server says it is.
type Role uint8

// The roles of a server. RoleUnknown is that of a server which has not been asked yet.
const (
	RoleUnknown Role = iota
	RoleMaster
	RoleReplica
)

// String returns the field's word for the role.
func (r Role) String() string {
	switch r {
	case RoleMaster:
		return "master"
	case RoleReplica:
		return "replica"
	default:
		return "unknown"
	}
}
