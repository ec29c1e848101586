package lab

import (
	"bytes"
	"fmt"
	"sync"
	"time"

	"redkeep/internal/stage"
)

// ack is one write that a client was told is done.
type ack struct {
	number int
	at     time.Time
	// by is the server that the client believes it wrote to: what its library says is the master.
	by string
}

// runner is a client at work on the host that is no node.
type runner struct {
	application
	key     string
	process *stage.Process

	mu   sync.Mutex // guards all below
	rest []byte
	acks []ack
	oops []string
}

// Write reads what the client prints: "ack NUMBER MILLISECONDS ADDRESS" for each write, "oops ..." for what was refused.
func (r *runner) Write(output []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rest = append(r.rest, output...)
	for {
		line, rest, whole := bytes.Cut(r.rest, []byte("\n"))
		if !whole {
			return len(output), nil
		}
		r.rest = rest
		r.read(string(line))
	}
}

func (r *runner) read(line string) {
	var a ack
	var ms int64
	if _, err := fmt.Sscanf(line, "ack %d %d %s", &a.number, &ms, &a.by); err == nil {
		a.at = time.UnixMilli(ms)
		r.acks = append(r.acks, a)
		return
	}
	r.oops = append(r.oops, time.Now().UTC().Format("15:04:05.000 ")+line)
}

// said returns what the client has printed so far.
func (r *runner) said() (acks []ack, oops []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]ack(nil), r.acks...), append([]string(nil), r.oops...)
}

// follows returns when the client was first told of a write by that server, after an instant.
func (r *runner) follows(server string, after time.Time) (time.Time, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := len(r.acks) - 1; i >= 0 && r.acks[i].at.After(after); i-- {
		if r.acks[i].by == server && (i == 0 || r.acks[i-1].by != server || !r.acks[i-1].at.After(after)) {
			return r.acks[i].at, true
		}
	}
	return time.Time{}, false
}

// gap is the longest time without an acknowledgement that ended between two instants.
func (r *runner) gap(from, to time.Time) time.Duration {
	acks, _ := r.said()
	var longest time.Duration
	for i := 1; i < len(acks); i++ {
		if acks[i].at.After(from) && acks[i].at.Before(to) {
			longest = max(longest, acks[i].at.Sub(acks[i-1].at))
		}
	}
	return longest
}
