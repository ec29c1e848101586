package demo

import (
	"fmt"
	"os"

	"redkeep/internal/stage"
)

// Place is how a person comes to a host of a running demo.
type Place struct {
	// Network is the path of the host's network namespace, and User that of the user namespace which has to be entered
	// first; empty for the machine's own.
	Network, User string
	// Config is the file that every host has, and Addr the group's address.
	Config, Addr string
}

// Enter is the command by which a place is entered from outside; what is to be run there follows.
func Enter(network, user string) []string {
	if user == "" {
		return []string{"nsenter", "--net=" + network}
	}
	return []string{"nsenter", "--preserve-credentials", "--user=" + user, "--net=" + network}
}

// ownUser is the path of this process's user namespace, if it is one of Enter's.
func ownUser() string {
	if !stage.Entered() {
		return ""
	}
	return fmt.Sprintf("/proc/%d/ns/user", os.Getpid())
}

// place tells where a host is.
func (s *site) place(h *stage.Host) *Place {
	return &Place{Network: h.Namespace(), User: ownUser(), Config: s.file, Addr: stage.VIP.String()}
}
