package lab

import (
	"context"
	"os/exec"
	"path/filepath"
	"time"

	"redkeep/internal/stage"
	"redkeep/internal/stage/clock"
)

// freshCopy is how long a replica may hear nothing after a full copy: until it next acknowledges, which it does each second.
// A fault in that time costs what was written since the copy began, whoever decides; these tests wait it out.
const freshCopy = 1200 * time.Millisecond

// powerOff pulls a host's plug and returns the instant just before.
func (s *Site) powerOff(h string) clock.Instant {
	s.t.Helper()
	at := clock.Now()
	if err := s.PowerOff(h); err != nil {
		s.t.Fatal(err)
	}
	s.mark("%s powered off", h)
	return at
}

// powerOn boots a host on which nothing is started yet.
func (s *Site) powerOn(h string) {
	s.t.Helper()
	if err := s.PowerOn(h); err != nil {
		s.t.Fatal(err)
	}
	s.mark("%s powered on", h)
}

// startServer starts a host's server with its own file and data, as its unit does.
func (s *Site) startServer(h string) {
	s.t.Helper()
	if err := s.redis[h].Start(context.Background()); err != nil {
		s.t.Fatal(err)
	}
	s.mark("%s server started", h)
}

// reboot boots a host with the units of the README: the gate shut, then the server, then the agent.
func (s *Site) reboot(h string) {
	s.t.Helper()
	s.powerOn(h)
	s.shutGate(h)
	if s.redis[h] != nil {
		s.startServer(h)
	}
	s.startAgent(h)
}

// shutGate does what the unit does that is ordered before the server.
func (s *Site) shutGate(h string) {
	s.t.Helper()
	if !hasCommand("gate", "shut") {
		s.t.Logf("%s boots without the gate's unit: this binary has no command for it", h)
		return
	}
	s.run(h, binary, "gate", "shut", "-c", s.file, "--node", h, "--state-dir", filepath.Join(s.Host(h).Dir(), "state"))
}

// hasCommand reports whether the binary has a command.
func hasCommand(words ...string) bool {
	return exec.Command(binary, append(words, "--help")...).Run() == nil
}

// run runs a short program on a host to its end.
func (s *Site) run(h, path string, args ...string) {
	s.t.Helper()
	p, err := s.Host(h).Start(stage.Command{Path: path, Args: args})
	if err != nil {
		s.t.Fatal(err)
	}
	limit := time.NewTimer(10 * time.Second)
	defer limit.Stop()
	select {
	case <-p.Done():
	case <-limit.C:
		s.t.Fatalf("%s %v on %s does not end", path, args, h)
	}
	if _, err := p.End(); err != nil {
		s.t.Fatalf("%s %v on %s: %v: %s", path, args, h, err, tail(p.Log(), 500))
	}
}
