package vip

import (
	"fmt"
	"math"
	"os"
	"strings"
)

// unknown is who did what the kernel does not attribute: all changes to IPv6 addresses, and its own doing.
const unknown = "unknown"

// culprit names the program behind a netlink port. A process's first connection has its process ID as its port; more of
// them have numbers that are none. A short-lived program may have ended before we look.
func culprit(port uint32) string {
	if port == 0 || port > math.MaxInt32 {
		return unknown
	}
	name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", port))
	if err != nil {
		return fmt.Sprintf("pid %d, which has ended", port)
	}
	return fmt.Sprintf("%s (pid %d)", strings.TrimSpace(string(name)), port)
}
