package sim

import (
	"fmt"
	"strings"
	"time"
)

// journal keeps the last lines of a run. A line is formatted only when it is printed.
type journal struct {
	lines []line
	next  int
	full  bool
}

type line struct {
	at     time.Duration
	format string
	args   []any
}

func newJournal(size int) *journal { return &journal{lines: make([]line, size)} }

func (j *journal) add(at time.Duration, format string, args ...any) {
	j.lines[j.next] = line{at, format, args}
	j.next++
	if j.next == len(j.lines) {
		j.next, j.full = 0, true
	}
}

// last returns the newest n lines, oldest first.
func (j *journal) last(n int) []string {
	var all []line
	if j.full {
		all = append(all, j.lines[j.next:]...)
	}
	all = append(all, j.lines[:j.next]...)
	if len(all) > n {
		all = all[len(all)-n:]
	}
	out := make([]string, len(all))
	for i, l := range all {
		out[i] = fmt.Sprintf("%11.3fms  ", float64(l.at)/1e6) + strings.TrimRight(fmt.Sprintf(l.format, l.args...), "\n")
	}
	return out
}
