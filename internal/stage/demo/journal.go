package demo

import (
	"bytes"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"redkeep/internal/words"
)

// entry is one line of an agent's log that tells of a decision or a refusal.
type entry struct {
	at   time.Time
	node words.Node
	code words.Code
	what string
}

// journal collects what the agents log.
type journal struct {
	mu      sync.Mutex // guards both
	entries []entry
	last    map[words.Node][]string
}

const (
	// tailLines is how many lines of an agent are kept for an error.
	tailLines = 8
	// entryLimit is how many entries are kept; half of them are forgotten when they are more, the oldest.
	entryLimit = 1 << 14
)

func newJournal() *journal { return &journal{last: map[words.Node][]string{}} }

// of returns the writer that takes one agent's log.
func (j *journal) of(n words.Node) io.Writer { return &lines{journal: j, node: n} }

// since returns the entries from that instant on, in the order in which they came in.
func (j *journal) since(t time.Time) []entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	var out []entry
	for _, e := range j.entries {
		if !e.at.Before(t) {
			out = append(out, e)
		}
	}
	return out
}

// tail returns an agent's last lines.
func (j *journal) tail(n words.Node) string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Join(j.last[n], "\n")
}

func (j *journal) add(n words.Node, line string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	kept := append(j.last[n], line)
	j.last[n] = kept[max(0, len(kept)-tailLines):]
	if e, ok := parseLine(line); ok {
		e.node = n
		if j.entries = append(j.entries, e); len(j.entries) > entryLimit {
			j.entries = slices.Delete(j.entries, 0, entryLimit/2)
		}
	}
}

// parseLine reads a line of slog's text form: time=… level=INFO msg=CODE group=… what="…".
func parseLine(line string) (entry, bool) {
	var e entry
	for line != "" {
		key, rest, ok := strings.Cut(line, "=")
		if !ok {
			break
		}
		value, rest, _ := strings.Cut(rest, " ")
		if strings.HasPrefix(value, `"`) {
			quoted, err := strconv.QuotedPrefix(line[len(key)+1:])
			if err != nil {
				return e, false
			}
			value, _ = strconv.Unquote(quoted)
			rest = strings.TrimPrefix(line[len(key)+1+len(quoted):], " ")
		}
		switch key {
		case "time":
			e.at, _ = time.Parse(time.RFC3339Nano, value)
		case "msg":
			e.code = words.Code(value)
		case "what":
			e.what = value
		}
		line = rest
	}
	return e, !e.at.IsZero() && e.code != "" && e.what != ""
}

// lines cuts a stream into lines.
type lines struct {
	journal *journal
	node    words.Node
	rest    []byte
}

// Write never blocks on anything but the journal.
func (l *lines) Write(p []byte) (int, error) {
	l.rest = append(l.rest, p...)
	for {
		line, rest, ok := bytes.Cut(l.rest, []byte("\n"))
		if !ok {
			return len(p), nil
		}
		l.journal.add(l.node, string(line))
		l.rest = rest
	}
}
