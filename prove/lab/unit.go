package lab

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"redkeep/internal/stage"
)

// unit is a service of a host, started, stopped and restarted as systemd does it by the unit's own lines.
type unit struct {
	name  string
	house *household
	// before are the lines ExecStartPre; start is ExecStart.
	before [][]string
	start  []string
	// conflicts are the services that are stopped before this one starts.
	conflicts []string
	// oneshot ends by itself; again says that it is started anew when it ends without having been told to.
	oneshot, again bool
	// ready is what the service's log says when it has started, and log where; empty is not waited for.
	ready, log string
	// restartBy is the signal of a restart; 0 is SIGTERM.
	restartBy unix.Signal

	mu      sync.Mutex // guards all below
	process *stage.Process
	wanted  bool
	enabled bool // it starts at boot
}

// againAfter is RestartSec.
const againAfter = 100 * time.Millisecond

// serverUnit is what matters of the distribution's unit, with the lines of Redkeep's drop-in.
const serverUnit = `[Service]
ExecStart=/usr/bin/redis-server /etc/redis/redis.conf --supervised no --daemonize no
Restart=always
`

// sentinelUnit is the same of what decided before Redkeep came.
const sentinelUnit = `[Service]
ExecStart=/usr/bin/redis-server /etc/redis/sentinel.conf --sentinel --daemonize no
Restart=always
`

// readUnit reads the lines of a unit's files, of which later ones add to the first.
func readUnit(name string, h *household, texts ...string) *unit {
	u := &unit{name: name, house: h, enabled: true}
	if name == "redis-server" {
		u.ready, u.log = "Ready to accept connections", h.at("/var/log/redis/redis-server.log")
	}
	for line := range strings.Lines(strings.Join(texts, "\n")) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		switch key {
		case "ExecStartPre":
			u.before = append(u.before, program(strings.TrimLeft(value, "+-!")))
		case "ExecStart":
			u.start = program(value)
		case "Type":
			u.oneshot = value == "oneshot"
		case "Restart":
			u.again = value == "always"
		case "RestartKillSignal":
			u.restartBy = unix.SignalNum(value)
		case "Conflicts":
			for other := range strings.FieldsSeq(value) {
				u.conflicts = append(u.conflicts, strings.TrimSuffix(other, ".service"))
			}
		}
	}
	return u
}

// program is a unit's command, found in PATH: the test's own redkeep, and whichever server the machine has.
func program(line string) []string {
	words := strings.Fields(line)
	words[0] = filepath.Base(words[0])
	return words
}

// units are the services of a host with the packages installed: texts of dist/, and the distribution's.
func units(h *household, dist string) (map[string]*unit, error) {
	all := map[string]*unit{}
	for name, files := range map[string][]string{
		"redkeep": {"redkeep.service"}, "redkeep-gate": {"redkeep-gate.service"}, "redkeep-sentinel": {"redkeep-sentinel.service"},
		"redis-server": {"redis-server.service.d/redkeep.conf"},
	} {
		var texts []string
		if name == "redis-server" {
			texts = append(texts, serverUnit)
		}
		for _, file := range files {
			text, err := os.ReadFile(filepath.Join(dist, file))
			if err != nil {
				return nil, err
			}
			texts = append(texts, string(text))
		}
		all[name] = readUnit(name, h, texts...)
	}
	all["redis-sentinel"] = readUnit("redis-sentinel", h, sentinelUnit)
	return all, nil
}

// Start runs what comes before, and then the service, until it is told to stop.
func (u *unit) Start(ctx context.Context) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.process != nil && !u.process.Ended() {
		return nil
	}
	u.wanted = true
	return u.launch(ctx)
}

// launch starts the service. u.mu must be held.
func (u *unit) launch(ctx context.Context) error {
	for _, argv := range u.before {
		if lines, code, err := u.house.typed(ctx, strings.Join(argv, " ")); err != nil || code != 0 {
			return fmt.Errorf("%s: %v: exit code %d, %w: %s", u.name, argv, code, err, strings.Join(lines, "\n"))
		}
	}
	before := u.readies()
	p, err := u.house.start(u.name, nil, u.start...)
	if err != nil {
		return err
	}
	u.process = p
	for end := time.Now().Add(typedLimit); u.ready != "" && u.readies() == before; <-time.After(10 * time.Millisecond) {
		if p.Ended() || time.Now().After(end) {
			return fmt.Errorf("%s does not say %q: %s", u.name, u.ready, tail(u.log, 500))
		}
	}
	if u.oneshot {
		<-p.Done()
		_, err := p.End()
		return err
	}
	if u.again {
		go u.mind(p) // ends with the process
	}
	return nil
}

// readies counts how often the service has said that it was ready. Behind a shut gate nobody can ask it.
func (u *unit) readies() int {
	if u.ready == "" {
		return 0
	}
	text, _ := os.ReadFile(u.log) // it is not there before the first start
	return strings.Count(string(text), u.ready)
}

// mind starts the service anew when its process has ended and nobody wanted that.
func (u *unit) mind(p *stage.Process) {
	<-p.Done()
	<-time.After(againAfter)
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.wanted || u.process != p {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), typedLimit)
	defer cancel()
	_ = u.launch(ctx) // a host whose power is off starts nothing; a page that expected it sees that
}

// Enable says whether the service starts at boot.
func (u *unit) Enable(yes bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.enabled = yes
}

// Boot starts the service if it is enabled.
func (u *unit) Boot(ctx context.Context) error {
	u.mu.Lock()
	yes := u.enabled
	u.mu.Unlock()
	if !yes {
		return nil
	}
	return u.Start(ctx)
}

// Forget takes it that the service is not to be started anew: its host goes down.
func (u *unit) Forget() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.wanted = false
}

// Stop ends the service for good, with SIGTERM.
func (u *unit) Stop() error {
	u.mu.Lock()
	p := u.process
	u.wanted = false
	u.mu.Unlock()
	if p == nil {
		return nil
	}
	return p.Stop(10 * time.Second)
}

// Restart ends the service with the signal of a restart, and starts it.
func (u *unit) Restart(ctx context.Context) error {
	if u.restartBy != 0 {
		u.mu.Lock()
		p := u.process
		u.wanted = false
		u.mu.Unlock()
		if p != nil && !p.Ended() {
			if err := p.Signal(u.restartBy); err != nil {
				return err
			}
			<-p.Done()
		}
	} else if err := u.Stop(); err != nil {
		return err
	}
	return u.Start(ctx)
}

// Kill sends a signal to the service, which systemd then finds ended.
func (u *unit) Kill(signal unix.Signal) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.process == nil {
		return fmt.Errorf("%s does not run", u.name)
	}
	return u.process.Signal(signal)
}
