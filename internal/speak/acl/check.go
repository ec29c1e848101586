package acl

import "strings"

// Reason is why something was denied. Of several, the one of the higher number counts.
type Reason uint8

// The reasons. Allowed is the zero value.
const (
	Allowed Reason = iota
	DeniedCommand
	DeniedKey
	DeniedAuth
	DeniedChannel
)

// String is the word that ACL LOG has for it.
func (r Reason) String() string {
	switch r {
	case DeniedCommand:
		return "command"
	case DeniedKey:
		return "key"
	case DeniedAuth:
		return "auth"
	case DeniedChannel:
		return "channel"
	default:
		return "allowed"
	}
}

// Verdict is whether a request is allowed, and otherwise why not and which of its words was the one too many.
type Verdict struct {
	Denied Reason
	At     int
}

// Check judges a request of a command of the user's table, whose name is the request's first word, or its first two. For a user who
// may do everything it takes no time, and for the others no memory.
func (u *User) Check(id ID, request [][]byte) Verdict {
	if u.unlimited {
		return Verdict{}
	}
	worst, at, last := DeniedCommand, 0, 0
	for i := range u.selectors {
		var why Reason
		if why, at = u.selectors[i].check(id, request, at); why == Allowed {
			return Verdict{}
		}
		if why > worst || why == worst && at > last {
			worst, last = why, at
		}
	}
	return Verdict{worst, last}
}

// check judges a request by one selector. at is the word that the last one stumbled over, which stays where this one does not
// come to the words.
func (s *selector) check(id ID, request [][]byte, at int) (Reason, int) {
	e := &s.table.entries[id]
	if !e.Free && !s.allows(id) && !s.allowsFirst(id, request) {
		return DeniedCommand, at
	}
	if e.Keys.First > 0 && !s.allKeys {
		for i := e.Keys.First; i < end(e.Keys.Last, request); i += max(1, e.Keys.Step) {
			if !s.touches(string(request[i]), e.Keys.Read, e.Keys.Write) {
				return DeniedKey, i
			}
		}
	}
	if e.Channels.First > 0 && !s.allChannels {
		for i := e.Channels.First; i < end(e.Channels.Last, request); i++ {
			if !s.hears(string(request[i]), e.Channels.Patterns) {
				return DeniedChannel, i
			}
		}
	}
	return Allowed, at
}

// end is the place after the last word of a range.
func end(last int, request [][]byte) int {
	if last < 0 || last >= len(request) {
		return len(request)
	}
	return last + 1
}

// allowsFirst reports whether the command is allowed with that first argument.
func (s *selector) allowsFirst(id ID, request [][]byte) bool {
	if len(request) < 2 {
		return false
	}
	for _, w := range s.firstArgs[id] {
		if strings.EqualFold(w, text(string(request[1]))) {
			return true
		}
	}
	return false
}

// Hears reports whether the user may listen to a channel, or to a pattern of channels.
func (u *User) Hears(name string, pattern bool) bool {
	for i := range u.selectors {
		if u.selectors[i].hears(name, pattern) {
			return true
		}
	}
	return false
}

// Refusal is the error with which a denied request is answered. command is its whole name.
func (v Verdict) Refusal(command string) Refusal {
	switch v.Denied {
	case DeniedKey:
		return "NOPERM this user has no permissions to access one of the keys used as arguments"
	case DeniedChannel:
		return "NOPERM this user has no permissions to access one of the channels used as arguments"
	default:
		return Refusal("NOPERM this user has no permissions to run the '" + command + "' command")
	}
}
