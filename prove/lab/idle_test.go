package lab

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// TestIdleAgent measures what an agent costs where nothing happens.
func TestIdleAgent(t *testing.T) {
	s := bareSite(t, Plan{Quiet: true})
	s.startServers()
	s.startAgents()
	s.awaitReady(20 * time.Second)
	span := pick(5*time.Second, 20*time.Second)
	before := map[string]time.Duration{}
	for _, h := range s.plan.Hosts {
		before[h] = s.processor(h)
	}
	time.Sleep(span)
	for _, h := range s.plan.Hosts {
		used := s.processor(h) - before[h]
		t.Logf("%s: %s resident, %.2f %% of a core over %v", h, s.resident(h), 100*used.Seconds()/span.Seconds(), span)
	}
}

// processor returns the processor time that a node's agent has used, to the kernel's tick of 10 ms.
func (s *Site) processor(h string) time.Duration {
	s.t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.agents[h].Pid()))
	s.must(err)
	_, rest, _ := strings.Cut(string(b), ") ")
	var user, system int64
	fields := strings.Fields(rest)
	_, err = fmt.Sscan(fields[11]+" "+fields[12], &user, &system)
	s.must(err)
	return time.Duration(user+system) * 10 * time.Millisecond
}

// resident returns the memory that a node's agent has in use.
func (s *Site) resident(h string) string {
	s.t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.agents[h].Pid()))
	s.must(err)
	for line := range strings.Lines(string(b)) {
		if value, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}
