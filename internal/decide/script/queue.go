package script

import (
	"math"
	"slices"
	"time"

	"redkeep/internal/words"
)

const (
	// Limit is how many jobs there are at most, running ones included. One more drops the oldest that is not running.
	Limit = 256
	// AtOnce is how many run at the same time.
	AtOnce = 16
	// Runs is how often one job is run at most.
	Runs = 10
)

// Settings are what SENTINEL DEBUG may change while scripts run.
type Settings struct {
	// Runtime is after how long a script is killed, above 0.
	Runtime time.Duration
	// RetryDelay is the pause before a second run, above 0; it doubles with each further one.
	RetryDelay time.Duration
}

// Defaults are a Sentinel's settings at its start.
func Defaults() Settings { return Settings{Runtime: time.Minute, RetryDelay: 30 * time.Second} }

// ID names one job for as long as it is in the queue. It is never 0, and never used twice.
type ID uint64

// job is one call of a script. Its arguments are fixed: a master that gets another script later does not change it.
type job struct {
	id      ID
	argv    []string
	runs    int // begun so far
	running bool
	// since is when the run began, or the earliest instant for the next one.
	since words.Instant
	// pid is 0 while the process is not known.
	pid    int
	killed bool
}

// Queue is a Sentinel's scripts, those that run and those that wait. The zero Queue is none; see New.
type Queue struct {
	settings Settings
	last     ID
	running  int
	// jobs are in the order in which they were added; a job that waits for another run keeps its place.
	jobs []*job
}

// New returns an empty queue.
func New(s Settings) *Queue { return &Queue{settings: s} }

// Set changes the settings: the runtime for scripts that run already too, the delay from the next failure on.
func (q *Queue) Set(s Settings) { q.settings = s }

// Len is how many jobs there are, and Running how many of them run.
func (q *Queue) Len() int     { return len(q.jobs) }
func (q *Queue) Running() int { return q.running }

// Add queues a script for the next Tick: its path, then its arguments. They are not changed, and must not be by the caller.
func (q *Queue) Add(argv ...string) {
	q.last++
	q.jobs = append(q.jobs, &job{id: q.last, argv: argv, since: math.MinInt64})
	if len(q.jobs) <= Limit {
		return
	}
	// More than sixteen never run, so there is one.
	q.drop(slices.IndexFunc(q.jobs, func(j *job) bool { return !j.running }))
}

// Wake is when Tick has something to do, Never for not before anything else happens. An instant that is past means at once.
func (q *Queue) Wake() words.Instant {
	wake := words.Never
	for _, j := range q.jobs {
		switch {
		case !j.running && q.running < AtOnce:
			wake = min(wake, j.since)
		case j.running && j.pid != 0 && !j.killed:
			wake = min(wake, later(j.since, q.settings.Runtime)+1)
		}
	}
	return wake
}

// Tick begins what is due, and kills what has run for too long. The Sentinel's timer calls it.
func (q *Queue) Tick(at words.Instant) []Action {
	var out []Action
	for _, j := range q.jobs {
		if q.running >= AtOnce {
			break
		}
		if !j.running && j.since <= at {
			j.running, j.since, j.pid, j.killed = true, at, 0, false
			j.runs++
			q.running++
			out = append(out, Start{ID: j.id, Argv: j.argv})
		}
	}
	for _, j := range q.jobs {
		// A process that is not known yet can't be killed; it is at the first Tick after it is.
		if j.running && j.pid != 0 && !j.killed && at.Sub(j.since) > q.settings.Runtime {
			j.killed = true
			out = append(out, timedOut(j), Kill{ID: j.id})
		}
	}
	return out
}

// Started tells that a job's process exists.
func (q *Queue) Started(id ID, pid int) []Action {
	i := q.find(id)
	if i < 0 {
		return nil
	}
	q.jobs[i].pid = pid
	return []Action{began(pid)}
}

// Unstarted tells that there was no process to be had for a job. Redis tries that again with each turn of its timer and
// complains each time; here it is a failed run, for what a host lacks now it may have in half a minute.
func (q *Queue) Unstarted(at words.Instant, id ID) []Action {
	i := q.find(id)
	if i < 0 {
		return nil
	}
	out := []Action{failed(q.jobs[i], noProcess, 0)}
	q.again(at, i)
	return out
}

// Exited tells how a job's process ended: by a signal, or by itself with an exit code (signal is 0 then). A file that can't be
// executed is a process that exits with NotExecuted, known or not.
func (q *Queue) Exited(at words.Instant, id ID, signal, code int) []Action {
	i := q.find(id)
	if i < 0 {
		return nil
	}
	j := q.jobs[i]
	var out []Action
	if j.pid != 0 {
		out = append(out, ended(j.pid, signal, code))
	}
	worthAnother := signal != 0 || code == 1
	if worthAnother && j.runs < Runs {
		q.again(at, i)
		return out
	}
	if signal != 0 || code != 0 {
		out = append(out, failed(j, signal, code))
	}
	q.running--
	q.drop(i)
	return out
}

// again lets a job that has stopped running wait for its next run, if it may have one.
func (q *Queue) again(at words.Instant, i int) {
	j := q.jobs[i]
	q.running--
	j.running, j.pid = false, 0
	j.since = later(at, doubled(q.settings.RetryDelay, j.runs-1))
	if j.runs >= Runs {
		q.drop(i)
	}
}

// find returns the place of a job that runs, or -1: what is told of any other comes too late to count.
func (q *Queue) find(id ID) int {
	return slices.IndexFunc(q.jobs, func(j *job) bool { return j.id == id && j.running })
}

// drop takes a job out.
func (q *Queue) drop(i int) { q.jobs = slices.Delete(q.jobs, i, i+1) }

// doubled doubles a time, as far as there is one that long.
func doubled(d time.Duration, times int) time.Duration {
	for ; times > 0; times-- {
		if d > math.MaxInt64/2 {
			return math.MaxInt64
		}
		d *= 2
	}
	return d
}

// later adds, and stays below Never: a delay that is set to centuries must not come round to the past.
func later(at words.Instant, d time.Duration) words.Instant {
	if d > time.Duration(words.Never-1-max(at, 0)) {
		return words.Never - 1
	}
	return at.Add(d)
}
