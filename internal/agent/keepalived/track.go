package keepalived

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"time"

	"redkeep/internal/decide/vrrp"
	"redkeep/internal/speak/keepalivedconf"
)

// track runs the checks of the configuration, in place of those that ran before, and of whose results they know the last.
func (p *process) track() {
	if p.stopTracking != nil {
		p.stopTracking()
	}
	var ctx context.Context
	ctx, p.stopTracking = context.WithCancel(p.ctx)
	before := p.results
	p.results = map[string]bool{}
	start := func(t tracker, ask func(context.Context) bool) {
		if passed, known := before[t.name]; known {
			t.known, t.passed, p.results[t.name] = true, passed, passed
			p.step(vrrp.Tracked{Name: t.name, Passed: passed}) // No router may have had it before this configuration.
		} else if t.known {
			p.onResult(t.name, t.passed)
		}
		p.work.Go(func() error { p.watch(ctx, t, ask); return nil })
	}
	for i := range p.conf.Scripts {
		s := &p.conf.Scripts[i]
		command := as(&p.conf.Global, s.Command)
		start(tracker{name: scriptName(s.Name), rise: s.Rise, fall: s.Fall, interval: s.Interval, known: s.InitFail}, func(ctx context.Context) bool {
			limited, cancel := context.WithTimeout(ctx, s.Timeout)
			defer cancel()
			return execute(limited, command) == nil
		})
	}
	for i := range p.conf.Processes {
		s := &p.conf.Processes[i]
		start(tracker{
			name: processName(s.Name), rise: 1 + int(s.ForkDelay/processEvery), fall: 1 + int(s.TerminateDelay/processEvery), interval: processEvery,
		}, func(context.Context) bool { return running(s) >= s.Quorum })
	}
}

// onResult notes a check's result, and tells the machine.
func (p *process) onResult(name string, passed bool) {
	p.results[name] = passed
	p.log.Info("check", "name", name, "passed", passed)
	p.step(vrrp.Tracked{Name: name, Passed: passed})
}

// processEvery is how often processes are counted.
const processEvery = 200 * time.Millisecond

// tracker turns the results of a check into whether it passes: rise successes in a row, fall failures. The first result counts alone.
type tracker struct {
	name       string
	rise, fall int
	interval   time.Duration
	known      bool
	passed     bool
	row        int // results in a row that say the opposite of passed
}

// take notes a result, and reports whether it has changed what is known.
func (t *tracker) take(ok bool) bool {
	if !t.known {
		t.known, t.passed = true, ok
		return true
	}
	if ok == t.passed {
		t.row = 0
		return false
	}
	t.row++
	enough := t.fall
	if ok {
		enough = t.rise
	}
	if t.row < enough {
		return false
	}
	t.passed, t.row = ok, 0
	return true
}

// watch asks again and again, until the context ends. A check that takes longer than its interval is asked again when it is over.
func (p *process) watch(ctx context.Context, t tracker, ask func(context.Context) bool) {
	turn := time.NewTicker(t.interval)
	defer turn.Stop()
	for {
		ok := ask(ctx)
		if ctx.Err() != nil {
			return
		}
		if t.take(ok) {
			passed := t.passed
			p.post(func() {
				if ctx.Err() == nil {
					p.onResult(t.name, passed)
				}
			})
		}
		select {
		case <-ctx.Done():
			return
		case <-turn.C:
		}
	}
}

// running counts the processes of a name, or of a whole command line.
func running(s *keepalivedconf.Process) (n int) {
	file := "comm"
	want := s.Args[0]
	if s.FullCommand {
		file, want = "cmdline", strings.Join(s.Args, "\x00")
	} else if want = filepath.Base(want); len(want) > 15 {
		want = want[:15] // as much as the kernel keeps
	}
	all, err := filepath.Glob("/proc/[0-9]*/" + file)
	if err != nil {
		return 0
	}
	for _, path := range all {
		if b, err := os.ReadFile(path); err == nil && string(bytes.Trim(b, "\x00\n")) == want {
			n++
		}
	}
	return n
}
