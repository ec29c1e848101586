package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"redkeep/internal/stage"
	"redkeep/internal/stage/clock"
	"redkeep/internal/stage/contest"
)

// idleTime is how long the agents are left alone.
const idleTime = 30 * time.Second

// Idle is what agents of one group use when nothing happens, at a lease of one second: the most of the three.
type Idle struct {
	// Holder and Follower are the shares of one core of the master's agent and of the busier of the others, in percent.
	Holder   float64 `json:"holder_cpu_percent"`
	Follower float64 `json:"follower_cpu_percent"`
	// RSS is the resident memory of the largest, in MiB.
	RSS float64 `json:"rss_mib"`
}

// String says it in a line.
func (i *Idle) String() string {
	return fmt.Sprintf("an agent of one group, idle for %v, lease 1s: %.2f %% of a core on the master, %.2f %% elsewhere, %.1f MiB resident at most",
		idleTime, i.Holder, i.Follower, i.RSS)
}

// measureIdle leaves a group alone and reads what its agents used.
func measureIdle(ctx context.Context, binary string) (idle *Idle, err error) {
	st, err := stage.New(ctx, stage.Options{})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	_, keeper, err := contest.Prepare(ctx, st, contest.Redkeep("redkeep", binary, time.Second, true, nil))
	if err != nil {
		return nil, err
	}
	return idleAgents(ctx, keeper.(*contest.Agents).Procs)
}

// idleAgents leaves the agents alone, of which the first is the master's.
func idleAgents(ctx context.Context, agents []*stage.Process) (*Idle, error) {
	pause(ctx, 2*time.Second) // for what follows a start
	var before []time.Duration
	begun := clock.Now()
	for _, p := range agents {
		used, err := ProcessorTime(p.Pid())
		if err != nil {
			return nil, err
		}
		before = append(before, used)
	}
	pause(ctx, idleTime)
	took := clock.Now().Sub(begun).Seconds()
	idle := &Idle{}
	for i, p := range agents {
		used, err := ProcessorTime(p.Pid())
		if err != nil {
			return nil, err
		}
		memory, err := Resident(p.Pid())
		if err != nil {
			return nil, err
		}
		share := 100 * (used - before[i]).Seconds() / took
		if i == 0 {
			idle.Holder = share
		} else {
			idle.Follower = max(idle.Follower, share)
		}
		idle.RSS = max(idle.RSS, memory)
	}
	return idle, ctx.Err()
}

// pause waits, or returns with the context.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
