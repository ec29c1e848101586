package script

import (
	"time"

	"redkeep/internal/words"
)

// Pending is what SENTINEL PENDING-SCRIPTS tells of one job.
type Pending struct {
	// Argv is the path and the arguments. It must not be changed.
	Argv    []string
	Running bool
	// PID is 0 for one that does not run.
	PID int
	// Time is for how long it has run, or how long it waits from now on, 0 or more.
	Time time.Duration
	// Runs is how often it was begun, 0 to 10.
	Runs int
}

// Pending lists the jobs, the oldest first.
func (q *Queue) Pending(at words.Instant) []Pending {
	list := make([]Pending, len(q.jobs))
	for i, j := range q.jobs {
		list[i] = Pending{Argv: j.argv, Running: j.running, PID: j.pid, Runs: j.runs}
		switch {
		case j.running:
			list[i].Time = max(0, at.Sub(j.since))
		case j.runs > 0:
			list[i].Time = max(0, j.since.Sub(at))
		}
	}
	return list
}
