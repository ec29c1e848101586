package lab

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"redkeep/internal/stage/clock"
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

// TestNothingHappens keeps the shortest lease under load: it is never lost but through a stall of the machine.
func TestNothingHappens(t *testing.T) {
	s := newSite(t, Plan{Lease: 200 * time.Millisecond})
	w := s.settled()
	m := s.awaitReady(10 * time.Second)
	epoch, at := s.epoch(m), clock.Now()
	time.Sleep(pick(5*time.Second, 10*time.Minute))
	now := s.awaitMaster(10 * time.Second)
	lost, stall := s.epoch(now)-epoch, s.watch.Worst(at, clock.Now())
	t.Logf("%d leases lost, %d writes acknowledged in %v, worst stall of the machine %v", lost, acks(w, at), clock.Now().Sub(at), stall)
	if lost > 0 && stall < s.plan.Lease/4 {
		t.Errorf("%s held epoch %d, now %s holds %d, and the machine never stalled for longer than %v", m, epoch, now, s.epoch(now), stall)
	}
	s.lossless(w)
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
