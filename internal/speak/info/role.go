package info

import (
	"fmt"
	"strconv"

	"redkeep/internal/words"
)

// MergeRole writes an answer to ROLE into a server, given as the texts of its top elements: "master", offset, replicas;
// or "slave", host, port, state, offset. ROLE says no more than INFO does, but is shorter to ask; its list of replicas is
// not read. An answer of another form leaves the server as it was and is an error.
func MergeRole(parts []string, into *words.Server) error {
	switch {
	case len(parts) >= 2 && parts[0] == "master":
		offset, err := strconv.ParseInt(parts[1], 10, 64)
		if err != nil {
			return fmt.Errorf("read ROLE: %q is no offset", parts[1])
		}
		into.Role, into.Offset = words.RoleMaster, words.Offset(offset)
		into.Master, into.MasterPort = "", 0
		into.LinkUp, into.Syncing = false, false
		return nil
	case len(parts) >= 5 && (parts[0] == "slave" || parts[0] == "replica"):
		port, err := strconv.ParseUint(parts[2], 10, 16)
		if err != nil {
			return fmt.Errorf("read ROLE: %q is no port", parts[2])
		}
		offset, err := strconv.ParseInt(parts[4], 10, 64)
		if err != nil {
			return fmt.Errorf("read ROLE: %q is no offset", parts[4])
		}
		into.Role, into.Offset = words.RoleReplica, words.Offset(offset)
		into.Master, into.MasterPort = parts[1], uint16(port)
		into.LinkUp, into.Syncing = parts[3] == "connected", parts[3] == "sync"
		return nil
	default:
		return fmt.Errorf("read ROLE: an answer of %d elements is neither a master's nor a replica's", len(parts))
	}
}
