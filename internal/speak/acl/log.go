package acl

import (
	"slices"
	"strconv"
	"time"
)

// The bounds of a Log.
const (
	// DefaultLogLength is how many denials are kept, as in Redis (acllog-max-len).
	DefaultLogLength = 128
	// groupedFor is how long after the last a denial counts as the same, if all else is.
	groupedFor = time.Minute
	// groupedAmong is how many of the newest entries are looked through for that.
	groupedAmong = 10
	// shownEntries is how many entries ACL LOG tells where it is not told a number.
	shownEntries = 10
)

// Entry is a denial, or several of the same.
type Entry struct {
	Count  int64
	Reason Reason
	// Object is what was denied: a command's name, a channel, a key, or the command that failed to authenticate, as it was typed.
	Object, Username string
	// At is when it happened last, and Client the connection then, as CLIENT LIST tells it.
	At     time.Time
	Client string
}

// Log is the denials of a process, the newest first.
type Log struct {
	entries []Entry
	length  int
}

// NewLog returns a Log that keeps so many entries.
func NewLog(length int) *Log { return &Log{length: max(0, length)} }

// Note remembers a denial. It is e.Count times the one if it is like one of the newest of the last minute.
func (l *Log) Note(e Entry) {
	e.Count = 1
	same := slices.IndexFunc(l.entries[:min(len(l.entries), groupedAmong)], func(o Entry) bool {
		return o.Reason == e.Reason && o.Object == e.Object && o.Username == e.Username && e.At.Sub(o.At) <= groupedFor
	})
	if same >= 0 {
		e.Count += l.entries[same].Count
		l.entries = slices.Delete(l.entries, same, same+1)
	}
	l.entries = slices.Insert(l.entries, 0, e)
	l.entries = l.entries[:min(len(l.entries), l.length)]
}

// Reset forgets all.
func (l *Log) Reset() { l.entries = nil }

// Newest returns as many of the newest entries as ACL LOG was asked for, by the one argument that it may have; an argument that is
// no number is refused.
func (l *Log) Newest(count ...string) ([]Entry, error) {
	n := int64(shownEntries)
	if len(count) > 0 {
		var err error
		if n, err = strconv.ParseInt(count[0], 10, 64); err != nil || strconv.FormatInt(n, 10) != count[0] {
			return nil, Refusal("ERR value is not an integer or out of range")
		}
	}
	return l.entries[:min(int64(len(l.entries)), max(0, n))], nil
}

// Context is where a request came from: not from a script or a transaction, of which Sentinel has none.
func (Entry) Context() string { return "toplevel" }

// Age returns how long ago it happened last, in seconds, to the millisecond.
func (e Entry) Age(now time.Time) float64 {
	return float64(now.UnixMilli()-e.At.UnixMilli()) / 1000
}
