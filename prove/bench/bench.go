package bench

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"redkeep/internal/stage/contest"
)

// Options are the choices of Run.
type Options struct {
	// Runs is how many runs of each contender with each fault shall count.
	Runs int
	// Faults are names of faults, separated by commas or blanks: empty for the usual four, or "all".
	Faults string
	// Contenders are names of contenders, separated by commas; empty for all. Redkeep is needed for ratios.
	Contenders string
	// Costs also measures what the gate adds to a round trip and what an idle agent uses.
	Costs bool
	// Stall is the longest stall of the machine with which a run counts.
	Stall time.Duration
	// Binary is the redkeep to measure; empty builds it.
	Binary string
	// Keep is a directory in which the hosts' own, with their logs, are left; empty leaves none.
	Keep string
	// Command is what reproduces this, for the report.
	Command string
	// Progress gets a line for each run.
	Progress io.Writer
}

// extra bounds how often a run is repeated that does not count: as often as Runs, for each contender with each fault.
const extra = 2

// session is a Run at work.
type session struct {
	Options
	faults     []contest.Fault
	contenders []contest.Contender
	report     Report
}

// Run measures. It needs the right to make network namespaces. An error is one of the measuring, never a bad number; what
// was measured until then is returned with it.
func Run(ctx context.Context, o Options) (Report, error) {
	s := &session{Options: o, report: Report{Machine: ThisMachine(), Command: o.Command}}
	var err error
	if s.faults, err = choose(o.Faults); err != nil {
		return s.report, err
	}
	clean, err := s.build(ctx)
	if err != nil {
		return s.report, err
	}
	defer clean()
	if err := s.enlist(); err != nil {
		return s.report, err
	}
	if o.Runs > 0 {
		err = s.trials(ctx)
		s.sum()
	}
	if err == nil && o.Costs {
		err = s.costs(ctx)
	}
	return s.report, err
}

// build builds the program under test, if none was given.
func (s *session) build(ctx context.Context) (clean func(), err error) {
	if s.Binary != "" {
		s.Binary, err = filepath.Abs(s.Binary)
		return func() {}, err
	}
	dir, err := os.MkdirTemp("", "redkeep-bench-")
	if err != nil {
		return nil, err
	}
	clean = func() { _ = os.RemoveAll(dir) }
	s.Binary = filepath.Join(dir, "redkeep")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", s.Binary, "redkeep/cmd/redkeep")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		clean()
		return nil, fmt.Errorf("build redkeep: %w: %s", err, out)
	}
	return clean, nil
}

// enlist takes the contenders that were asked for and can be measured here.
func (s *session) enlist() error {
	known := field(s.Binary)
	var wanted []string
	for name := range strings.SplitSeq(s.Contenders, ",") {
		name = strings.TrimSpace(name)
		if name == "" {
			continue
		}
		if !slices.ContainsFunc(known, func(c contest.Contender) bool { return c.Name == name }) {
			return fmt.Errorf("choose contenders: there is no %q; there are %s", name, strings.Join(names(known), ", "))
		}
		wanted = append(wanted, name)
	}
	for _, c := range known {
		if len(wanted) > 0 && !slices.Contains(wanted, c.Name) || !slices.ContainsFunc(s.faults, func(f contest.Fault) bool { return c.Meets(f.Name) }) {
			continue
		}
		missing := c.Missing()
		s.report.Contenders = append(s.report.Contenders, About{Name: c.Name, About: c.About, Missing: missing})
		if len(missing) == 0 {
			s.contenders = append(s.contenders, c)
		}
	}
	return nil
}

func names(contenders []contest.Contender) []string {
	var found []string
	for _, c := range contenders {
		found = append(found, c.Name)
	}
	return found
}

// trials goes round: in each round every contender meets every fault once, until all have the runs that they need. So what
// this machine does meanwhile meets all of them alike.
func (s *session) trials(ctx context.Context) error {
	for round := 1; round <= s.Runs*extra; round++ {
		for _, f := range s.faults {
			for _, c := range s.contenders {
				if !c.Meets(f.Name) || row(c.Name, f.Name, s.report.Results).Runs >= s.Runs {
					continue
				}
				s.one(ctx, c, f, round)
				if err := ctx.Err(); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// golden spreads moments over a second evenly, however many there are.
const golden = 0.6180339887498949

// one makes a run and notes it. One that comes to no end is noted as that: the others may.
func (s *session) one(ctx context.Context, c contest.Contender, f contest.Fault, round int) {
	phase := golden * float64(round)
	t := &contest.Trial{Contender: c, Fault: f, Keep: s.Keep, Phase: time.Duration((phase - float64(int(phase))) * float64(time.Second))}
	measured, err := t.Run(ctx)
	result := Result{Result: measured, Run: round}
	if err != nil {
		result.Error = err.Error()
	}
	result.LeftOut = err == nil && time.Duration(result.Stall) > s.Stall
	s.report.Results = append(s.report.Results, result)
	s.tell(nameColumns+"  %s", f.Name, c.Name, result)
}

// String says it in a line.
func (r Result) String() string {
	if r.Error != "" {
		return fmt.Sprintf("run %d: %s", r.Run, r.Error)
	}
	said := fmt.Sprintf("run %d: gap %s, lost %d of %d, lost locally %d, two masters %s", r.Run, millis(r.Gap), r.Lost, r.Acked, r.LostLocally, millis(r.Double))
	if r.Asked {
		said += ", two answer " + millis(r.TwoAnswer)
	}
	if !r.Recovered {
		said += ", writes did not go on"
	}
	if !r.Settled {
		said += ", not one master in the end"
	}
	if r.LeftOut {
		said += fmt.Sprintf(" (left out: this machine stalled for %s)", millis(r.Stall))
	}
	return said
}

func (s *session) tell(format string, args ...any) {
	// Progress that can't be shown is no reason to stop.
	_, _ = fmt.Fprintf(s.Progress, format+"\n", args...)
}

// sum makes the rows, fault by fault.
func (s *session) sum() {
	for _, f := range s.faults {
		for _, c := range s.contenders {
			if c.Meets(f.Name) {
				s.report.Rows = append(s.report.Rows, row(c.Name, f.Name, s.report.Results))
			}
		}
	}
	compare(s.report.Rows, field("")[0].Name)
}

// costs measures what Redkeep costs while nothing happens.
func (s *session) costs(ctx context.Context) (err error) {
	s.tell("the gate's cost: %d pairs", tollPairs)
	if s.report.Toll, err = measureToll(ctx); err != nil {
		return fmt.Errorf("measure the gate's cost: %w", err)
	}
	s.tell("%s", s.report.Toll)
	s.tell("idle agents: %v", idleTime)
	if s.report.Idle, err = measureIdle(ctx, s.Binary); err != nil {
		return fmt.Errorf("measure idle agents: %w", err)
	}
	s.tell("%s", s.report.Idle)
	return nil
}
