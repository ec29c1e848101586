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

// goingOn is how many writes in a row make a client one that goes on.
const goingOn = 10

// follows returns when the client was first told of a write by that server, after an instant, and whether it goes on there.
func (r *runner) follows(server string, after time.Time) (first time.Time, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	count := 0
	for i := len(r.acks) - 1; i >= 0 && r.acks[i].by == server && r.acks[i].at.After(after); i-- {
		first = r.acks[i].at
		count++
	}
	return first, count >= goingOn
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
