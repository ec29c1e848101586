package peermsg

import (
	"errors"
	"fmt"

	"redkeep/internal/decide"
	"redkeep/internal/words"
)

// Version is the first byte of every message. It changes when an old release would misread a new message; a field that
// an old release may do without is added at a message's end instead, where Parse of the old release leaves it unread.
const Version = 1

// The bounds of a message. Parse refuses what is beyond them, before it takes memory for it.
const (
	// MaxName is the longest name of a group or a node in bytes, as in the configuration.
	MaxName = 63
	// MaxID is the longest run or replication ID in bytes; a server's own have 40 hex characters.
	MaxID = 64
	// MaxText is how much of somebody else's words (an error, a host name, a release) travels, in bytes.
	MaxText = 80
	// MaxMembers bounds every list of nodes and of releases.
	MaxMembers = 9
	// MaxRows is how much of the lineage travels: its newest rows.
	MaxRows = 8
	// MaxReplicas is how many of a master's replicas travel.
	MaxReplicas = 8
)

// The errors that Parse wraps.
var (
	// ErrVersion is that of a message whose first byte is not Version: the sender runs another release.
	ErrVersion = errors.New("unknown version")
	// ErrType is that of a message that this release doesn't know.
	ErrType = errors.New("unknown type of message")
	// ErrMalformed is that of bytes which no Append made.
	ErrMalformed = errors.New("malformed message")
)

// form is how one type of message is written and read.
type form struct {
	is    func(decide.Message) bool
	write func(*wire, decide.Message)
	read  func(*wire) decide.Message
}

// of makes the form of one type from the visit of its fields.
func of[M decide.Message](visit func(*wire, *M)) form {
	return form{
		is: func(m decide.Message) bool {
			_, ok := m.(M)
			return ok
		},
		write: func(w *wire, m decide.Message) {
			v := m.(M)
			visit(w, &v)
		},
		read: func(w *wire) decide.Message {
			var v M
			visit(w, &v)
			return v
		},
	}
}

// forms holds the closed set. The index is the second byte of a message: an entry is never moved nor its number used
// again. Number 0 is no message.
var forms = [...]form{
	1:  of((*wire).beat),
	2:  of((*wire).grant),
	3:  of((*wire).refuse),
	4:  of((*wire).status),
	5:  of((*wire).preVote),
	6:  of((*wire).preVoted),
	7:  of((*wire).vote),
	8:  of((*wire).voted),
	9:  of((*wire).release),
	10: of((*wire).releaseSeen),
	11: of((*wire).readmit),
	12: of((*wire).readmitted),
	13: of((*wire).prepare),
	14: of((*wire).prepared),
	15: of((*wire).level),
	16: of((*wire).leveled),
	17: of((*wire).choose),
	18: of((*wire).propose),
	19: of((*wire).accepted),
	20: of((*wire).depart),
	21: of((*wire).pausing),
}

// Append appends the message to dst. What only informs is cut to its bound: texts, the older rows, replicas beyond the
// eighth. A message that is beyond a bound otherwise (a tenth voter, an ID of 65 bytes) can't be told: dst comes back as
// it was, and there is nothing to send.
func Append(dst []byte, g words.Group, m decide.Message) []byte {
	for number := 1; number < len(forms); number++ {
		if !forms[number].is(m) {
			continue
		}
		w := wire{writing: true, buf: append(dst, Version, byte(number))}
		plain(&w, &g, MaxName)
		forms[number].write(&w, m)
		if w.err != nil {
			return dst
		}
		return w.buf
	}
	return dst
}

// Parse returns the message and its group. Its errors wrap ErrVersion, ErrType or ErrMalformed.
func Parse(b []byte) (words.Group, decide.Message, error) {
	if len(b) < 2 {
		return "", nil, fmt.Errorf("parse message: %w: %d bytes", ErrMalformed, len(b))
	}
	if b[0] != Version {
		return "", nil, fmt.Errorf("parse message: %w %d, this release speaks %d", ErrVersion, b[0], Version)
	}
	number := int(b[1])
	if number == 0 || number >= len(forms) {
		return "", nil, fmt.Errorf("parse message: %w: %d", ErrType, number)
	}
	w := wire{buf: b[2:]}
	var g words.Group
	plain(&w, &g, MaxName)
	m := forms[number].read(&w)
	if w.err != nil {
		return "", nil, fmt.Errorf("parse message of type %d: %w", number, w.err)
	}
	return g, m, nil
}
