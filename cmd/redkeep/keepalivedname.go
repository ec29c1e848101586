package main

import "path/filepath"

// calledKeepalived reports whether this binary was called by keepalived's name, as a unit of keepalived's calls it. args are the process's, its
// name first. Of the flags it then takes those that `redkeep keepalived` takes; another one ends it at once, and nothing is passed over.
func calledKeepalived(args []string) bool {
	return len(args) > 0 && filepath.Base(args[0]) == "keepalived"
}
