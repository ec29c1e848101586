package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"redkeep/internal/stage"
	"redkeep/internal/stage/clock"
	"redkeep/internal/stage/contest"
)

const (
	// idleTime is how long the agents are left alone.
	idleTime = 30 * time.Second
	// ticksPerSecond is the unit of the times in /proc, the same on every Linux that Go runs on.
	ticksPerSecond = 100
)

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
	var before []float64
	begun := clock.Now()
	for _, p := range agents {
		used, err := cpuSeconds(p.Pid())
		if err != nil {
			return nil, err
		}
		before = append(before, used)
	}
	pause(ctx, idleTime)
	took := clock.Now().Sub(begun).Seconds()
	idle := &Idle{}
	for i, p := range agents {
		used, err := cpuSeconds(p.Pid())
		if err != nil {
			return nil, err
		}
		memory, err := resident(p.Pid())
		if err != nil {
			return nil, err
		}
		share := 100 * (used - before[i]) / took
		if i == 0 {
			idle.Holder = share
		} else {
			idle.Follower = max(idle.Follower, share)
		}
		idle.RSS = max(idle.RSS, memory)
	}
	return idle, ctx.Err()
}

// cpuSeconds reads how long a process has run on a processor.
func cpuSeconds(pid int) (float64, error) {
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, fmt.Errorf("read processor time: %w", err)
	}
	return parseCPU(string(line))
}

// parseCPU reads utime and stime, the 14th and 15th fields; the second is a name in brackets that may hold anything.
func parseCPU(line string) (float64, error) {
	_, rest, _ := strings.Cut(line[strings.LastIndexByte(line, ')')+1:], " ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0, errors.New("read processor time: the line is too short")
	}
	user, errUser := strconv.ParseUint(fields[11], 10, 64)
	system, errSystem := strconv.ParseUint(fields[12], 10, 64)
	if err := errors.Join(errUser, errSystem); err != nil {
		return 0, fmt.Errorf("read processor time: %w", err)
	}
	return float64(user+system) / ticksPerSecond, nil
}

// resident reads a process's resident memory in MiB.
func resident(pid int) (float64, error) {
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, fmt.Errorf("read resident memory: %w", err)
	}
	fields := strings.Fields(string(line))
	if len(fields) < 2 {
		return 0, errors.New("read resident memory: the line is too short")
	}
	pages, err := strconv.ParseUint(fields[1], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read resident memory: %w", err)
	}
	return float64(pages) * float64(os.Getpagesize()) / (1 << 20), nil
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
