package scale

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"redkeep/prove/bench"
	"redkeep/prove/bench/scale/fleet"
)

// Options are the choices of Run.
type Options struct {
	// Runs is how many pairs of trials there are.
	Runs int
	// Plan is what is watched.
	Plan fleet.Plan
	// Warm is how long a contender runs before it is measured, and Window for how long it then is.
	Warm, Window time.Duration
	// Requests is how many each measuring of a rate takes; 0 leaves the rates out.
	Requests int
	// Share is the percentage of one core that a contender has while its rates are measured for the second time, so that no client is its
	// limit; 0 leaves these out.
	Share int
	// Only is the name of the only contender, empty for both.
	Only string
	// Redkeep and Real are the programs.
	Redkeep, Real string
	// Fleet starts the simulated servers: what comes before its flags.
	Fleet []string
	// Keep leaves the directory with the logs.
	Keep bool
	// Profiled, if set, is called at the beginning of the window, with the contender's process ID.
	Profiled func(ctx context.Context, pid int)
	// Progress gets a line for each trial.
	Progress io.Writer
}

// Contender is a Sentinel that is measured.
type Contender struct {
	Name string
	Argv []string
}

// Trial is what was measured of one contender in one trial.
type Trial struct {
	Contender string `json:"contender"`
	// CPU is the share of one core, in percent, and RSS the resident memory in MiB.
	CPU float64 `json:"cpu_percent"`
	RSS float64 `json:"rss_mib"`
	// Whole are the rates with all there is, and Shared those with a share of one core.
	Whole  Rates `json:"rates"`
	Shared Rates `json:"rates_shared"`
	// Failover is how it replaced the masters of a lost host.
	Failover Failover `json:"failover"`
	// Load is the machine's load average of the last minute at its end.
	Load string `json:"load"`
}

// Rates are how fast one question is answered without pipelining, and pipelined by 16.
type Rates struct {
	Single Rate `json:"single"`
	Piped  Rate `json:"pipelined"`
}

// Rate is how fast one question is answered.
type Rate struct {
	// PerSecond are requests in a second, and Cost the processor time of one.
	PerSecond float64       `json:"per_second"`
	Cost      time.Duration `json:"cost_ns"`
}

// Run measures. An error is one of the measuring, never a bad number; what was measured until then is returned with it.
func Run(ctx context.Context, o Options) (trials []Trial, err error) {
	dir, err := os.MkdirTemp("", "redkeep-scale-")
	if err != nil {
		return nil, err
	}
	if !o.Keep {
		defer os.RemoveAll(dir)
	}
	contenders := []Contender{{Ours, []string{o.Redkeep, "sentinel"}}, {Real, []string{o.Real}}}
	for run := range o.Runs {
		for i := range contenders {
			c := contenders[(i+run)%len(contenders)] // who is first changes, as may the load
			if o.Only != "" && o.Only != c.Name {
				continue
			}
			at := filepath.Join(dir, fmt.Sprintf("%d-%s", run+1, c.Name))
			t, err := o.trial(ctx, c, at)
			if err != nil {
				return trials, fmt.Errorf("measure %s in run %d: %w", c.Name, run+1, err)
			}
			trials = append(trials, t)
			_, _ = fmt.Fprintf(o.Progress, "run %d: %s\n", run+1, t) // progress that can't be shown is no reason to stop
		}
	}
	return trials, nil
}

// The contenders' names.
const (
	Ours = "redkeep"
	Real = "redis-sentinel"
)

// trial is one contender over one fleet.
func (o Options) trial(ctx context.Context, c Contender, dir string) (t Trial, err error) {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return t, err
	}
	servers, err := startFleet(ctx, o, dir)
	if err != nil {
		return t, err
	}
	defer func() { err = errors.Join(err, servers.end()) }()
	s, err := startSubject(ctx, o, c, dir)
	if err != nil {
		return t, err
	}
	defer func() { err = errors.Join(err, s.end()) }()
	t.Contender = c.Name
	if err := s.settle(ctx, o); err != nil {
		return t, err
	}
	if t.CPU, err = s.cpu(ctx, o.Window, o.Profiled); err != nil {
		return t, err
	}
	if t.RSS, err = bench.Resident(s.cmd.Process.Pid); err != nil {
		return t, err
	}
	if o.Requests > 0 {
		if t.Whole, err = o.rates(ctx, s); err != nil {
			return t, err
		}
		if t.Shared, err = o.shared(ctx, s); err != nil {
			return t, err
		}
	}
	if t.Failover, err = failOver(ctx, o.Plan, servers); err != nil {
		return t, err
	}
	t.Load = bench.Load()
	return t, nil
}

// rates measures both.
func (o Options) rates(ctx context.Context, s *subject) (r Rates, err error) {
	if r.Single, err = s.rate(ctx, o.Requests, 1, o.Plan); err != nil {
		return r, err
	}
	r.Piped, err = s.rate(ctx, 8*o.Requests, 16, o.Plan)
	return r, err
}

// shared measures both while the contender has a share of a core.
func (o Options) shared(ctx context.Context, s *subject) (r Rates, err error) {
	if o.Share == 0 {
		return r, nil
	}
	pid := s.cmd.Process.Pid
	ration, err := newRation(fmt.Sprintf("redkeep-scale-%d", pid), o.Share)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, ration.end()) }()
	if err := ration.take(pid); err != nil {
		return r, err
	}
	return o.rates(ctx, s)
}
