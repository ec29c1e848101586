package main

import (
	"fmt"

	"golang.org/x/sys/unix"

	"redkeep/internal/show/sentinel"
	"redkeep/internal/speak/logline"
	"redkeep/internal/speak/sentinelconf"
)

const (
	// ownFiles are the descriptors of the process itself: its listeners, its log, its configuration as it is written, its scripts.
	ownFiles = 64
	// usualReplicas and usualSentinels are how many of a group's may yet be found: the links to them must not depend on clients.
	usualReplicas, usualSentinels = 3, 8
	// fewestClients are served whatever the limit.
	fewestClients = 8
)

// raiseFiles has room for a descriptor for each client and each link. Go has raised the limit as far as it may already; root may go on.
// Where it does not reach, there are fewer clients: they must not take what the file, the links and other Sentinels' questions need.
func (s *sentinelStart) raiseFiles() {
	own := reservedFiles(s.conf)
	want := uint64(s.conf.MaxClients) + own
	var have unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &have) != nil || have.Cur >= want {
		return
	}
	if unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: want, Max: max(want, have.Max)}) == nil {
		return
	}
	s.write(logline.Warning, lowerClients(s.conf, have.Cur, own))
}

// lowerClients has as many clients as so many files leave, and returns what to log of it.
func lowerClients(c *sentinelconf.Conf, files, reserved uint64) string {
	asked := c.MaxClients
	c.MaxClients = clientsWithin(files, reserved, asked)
	return fmt.Sprintf("You requested maxclients of %d requiring at least %d max file descriptors, %d of them for links and this process itself. "+
		"Current maximum open files is %d. maxclients has been reduced to %d to compensate for low ulimit. If you need higher maxclients increase 'ulimit -n', or LimitNOFILE.",
		asked, uint64(asked)+reserved, reserved, files, c.MaxClients)
}

// reservedFiles is how many descriptors clients leave to the rest: two for each server that is known or usual, one for each Sentinel of a
// group and for what those ask, and the process's own. Groups share the links to their Sentinels; so this may be more than there will be.
func reservedFiles(c *sentinelconf.Conf) uint64 {
	sentinels, servers := usualSentinels, 0
	for _, m := range c.Masters {
		servers += 1 + max(len(m.Replicas), usualReplicas)
		sentinels = max(sentinels, len(m.Sentinels))
	}
	return uint64(ownFiles + sentinel.PeerPlaces + 2*servers + sentinels)
}

// clientsWithin is how many clients may be served where so many files may be open and so many are reserved.
func clientsWithin(files, reserved uint64, asked int) int {
	if files <= reserved+fewestClients {
		return min(asked, fewestClients)
	}
	return int(min(uint64(asked), files-reserved))
}
