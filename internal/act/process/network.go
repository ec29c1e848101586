package process

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
)

// ListensHere reports whether a process listens on a TCP port of this process's own network namespace: packets for a
// process in another one (a container's) don't pass this host's filter on their way in. Every user may ask.
func ListensHere(pid int, port uint16) (bool, error) {
	theirs, err := listening("/proc/"+strconv.Itoa(pid)+"/net", port)
	if err != nil {
		return false, fmt.Errorf("look at the sockets of process %d: %w", pid, err)
	}
	ours, err := listening("/proc/thread-self/net", port)
	if err != nil {
		return false, fmt.Errorf("look at this host's sockets: %w", err)
	}
	for inode := range theirs {
		if ours[inode] {
			return true, nil
		}
	}
	return false, nil
}

// listening returns the inodes of a namespace's listening sockets of a port. Inodes of sockets differ in all namespaces.
func listening(dir string, port uint16) (map[string]bool, error) {
	found := map[string]bool{}
	for _, family := range []string{"/tcp", "/tcp6"} {
		text, err := os.ReadFile(dir + family)
		if errors.Is(err, fs.ErrNotExist) && family == "/tcp6" {
			continue // a kernel without IPv6
		}
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(string(text)) {
			if inode, ok := listener(line, port); ok {
				found[inode] = true
			}
		}
	}
	return found, nil
}

// listener reads one line of /proc/net/tcp: the second field is ADDRESS:PORT in hexadecimal, the fourth the state (0A
// is LISTEN), the tenth the inode.
func listener(line string, port uint16) (inode string, ok bool) {
	f := strings.Fields(line)
	if len(f) < 10 || f[3] != "0A" {
		return "", false
	}
	_, hex, _ := strings.Cut(f[1], ":")
	n, err := strconv.ParseUint(hex, 16, 16)
	return f[9], err == nil && uint16(n) == port
}
