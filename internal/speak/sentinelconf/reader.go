package sentinelconf

import (
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// reader fills a File and collects everything that is wrong, so that one run shows all of it.
type reader struct {
	State
	// name is what problems begin with.
	name     string
	problems []Problem
	// executable reports whether a script may be run; nil is for a reader without a host.
	executable func(path string) bool
	// unknown counts the problems of kind UnknownDirective.
	unknown int
	// masters finds one by its name, and seen says what one has had: a file of thousands of either takes no longer by line.
	masters map[string]*Master
	seen    map[mark]bool
}

// newReader makes one that has read nothing.
func newReader(name string) *reader {
	return &reader{name: name, State: State{DenyScriptsReconfig: true}, masters: make(map[string]*Master), seen: make(map[mark]bool)}
}

// mark is one thing that a master may have once.
type mark struct {
	master *Master
	of     Kind
	text   string
}

// first reports whether this is the first of its kind.
func (r *reader) first(m *Master, of Kind, text string) bool {
	k := mark{m, of, text}
	if r.seen[k] {
		return false
	}
	r.seen[k] = true
	return true
}

// most is how many problems are told: the directives that Redis doesn't know, and all others.
const most = 100

// full reports whether enough is wrong, so that no more need be looked for.
func (r *reader) full() bool { return len(r.problems)-r.unknown >= most }

// wrong notes an error, unless enough are. reason is what redis-sentinel says of the same.
func (r *reader) wrong(l queued, kind Kind, reason, do, what string, args ...any) {
	if kind != UnknownDirective && r.full() {
		return
	}
	r.problems = append(r.problems, Problem{kind, r.name, l.line, fmt.Sprintf(what, args...), do, reason, l.raw})
}

// sortProblems orders by line; problems of one line stay in the order they were found.
func sortProblems(p []Problem) {
	slices.SortStableFunc(p, func(a, b Problem) int { return a.Line - b.Line })
}

// integer reads a number as C's atoi does: whatever follows the digits does not count, and no digits are 0. What does not
// fit becomes the nearest that does.
func integer(text string) int {
	text = strings.TrimLeft(text, " \t\n\v\f\r")
	negative := strings.HasPrefix(text, "-")
	if negative || strings.HasPrefix(text, "+") {
		text = text[1:]
	}
	n := 0
	for i := 0; i < len(text) && text[i] >= '0' && text[i] <= '9'; i++ {
		n = min(n*10+int(text[i]-'0'), math.MaxInt32)
	}
	if negative {
		return -n
	}
	return n
}

// epoch is integer for the longer numbers.
func epoch(text string) uint64 {
	n := uint64(0)
	for i := 0; i < len(text) && text[i] >= '0' && text[i] <= '9'; i++ {
		if n > (math.MaxUint64-9)/10 {
			return math.MaxUint64
		}
		n = n*10 + uint64(text[i]-'0')
	}
	return n
}

// port reads a port of another process.
func (r *reader) port(line queued, text string) (int, bool) {
	n := integer(text)
	if n < 0 || n > 65535 {
		r.wrong(line, BadPort, "Invalid port number.", "choose 1 to 65535", "%d is not a port", n)
		return 0, false
	}
	return n, true
}

// host reads an address, or a name where names are resolved.
func (r *reader) host(line queued, text string) (string, bool) {
	if addr, err := netip.ParseAddr(text); err == nil {
		return addr.String(), true
	}
	if addr, ok := numbers(text); ok {
		return addr.String(), true
	}
	if r.ResolveHostnames && text != "" {
		return text, true
	}
	r.wrong(line, BadHost, "Can't resolve instance hostname.", "write its address, or add the line: sentinel resolve-hostnames yes", "%q is not an IP address", Shown(text))
	return "", false
}

// numbers reads the older ways to write an IPv4 address, which C's resolver takes for one: 10.1, 0x0a000001, 10.0.0.07.
func numbers(text string) (netip.Addr, bool) {
	parts := strings.Split(text, ".")
	if len(parts) > 4 {
		return netip.Addr{}, false
	}
	all := uint64(0)
	for i, p := range parts {
		// Underscores, 0o and 0b, which Go would take, are none to C.
		n, err := strconv.ParseUint(p, 0, 32)
		bits := 8
		if i == len(parts)-1 {
			bits = 8 * (5 - len(parts))
		}
		if err != nil || strings.ContainsAny(p, "_oO") || strings.HasPrefix(strings.ToLower(p), "0b") || n>>bits != 0 {
			return netip.Addr{}, false
		}
		all = all<<bits | n
	}
	return netip.AddrFrom4([4]byte{byte(all >> 24), byte(all >> 16), byte(all >> 8), byte(all)}), true
}

// yes reads yes or no.
func (r *reader) yes(line queued, into *bool, statement, text string) {
	switch strings.ToLower(text) {
	case "yes":
		*into = true
	case "no":
		*into = false
	default:
		plural := ""
		if statement == "deny-scripts-reconfig" {
			plural = "s" // it says so for this one alone
		}
		r.wrong(line, NotYesNo, "Please specify yes or no for the "+statement+" option"+plural+".", "write yes or no", "%s cannot be %q", statement, Shown(text))
	}
}
