package sentinelconf

import (
	"fmt"
	"slices"
	"strings"
)

// Refusal is why a Sentinel does not start with a file.
type Refusal struct {
	// Line counts from 1 in the file, or in the one that was included; it is 0 for what no one line is to blame for.
	Line int
	// Reason is in redis-sentinel's words.
	Reason string
	// text is the line itself, without what may be a password.
	text string
}

// Error is for logs: it does not repeat the line.
func (r *Refusal) Error() string {
	if r.Line == 0 {
		return "read the configuration: " + r.Reason
	}
	return fmt.Sprintf("read the configuration: line %d: %s", r.Line, r.Reason)
}

// Banner is what redis-sentinel of that version prints to standard error. A password in the line is left out, which is not.
func (r *Refusal) Banner(version string) string {
	at := ""
	if r.Line > 0 {
		at = fmt.Sprintf("Reading the configuration file, at line %d\n>>> '%s'\n", r.Line, r.text)
	}
	return fmt.Sprintf("\n*** FATAL CONFIG FILE ERROR (Redis %s) ***\n%s%s\n", version, at, r.Reason)
}

// hide replaces what may be a password in a line: nobody should find one in a journal because of a slip beside it.
func hide(line string) string {
	end := func(n int) int { // where the first n words end
		at := 0
		for range n {
			at += len(line[at:]) - len(strings.TrimLeft(line[at:], " \t"))
			if next := strings.IndexAny(line[at:], " \t"); next >= 0 {
				at += next
			} else {
				at = len(line)
			}
		}
		return at
	}
	keep := 0
	words := strings.Fields(strings.ToLower(line))
	for i := range words {
		words[i] = strings.Trim(words[i], `"'`)
	}
	switch {
	case len(words) > 1 && words[0] == "sentinel" && strings.HasPrefix(words[1], "auth-pas"):
		keep = end(3)
	case len(words) > 1 && words[0] == "sentinel" && strings.Contains(words[1], "pas"):
		keep = end(2) // sentinel-pass, or what was to be one of the two: what follows may be the password itself
	case len(words) > 0 && words[0] == "user":
		secret := func(w string) bool { return strings.ContainsAny(w, "<>#!") }
		if keep = end(max(slices.IndexFunc(words, secret), 0)); keep == 0 {
			return line
		}
	case len(words) > 0 && (strings.Contains(words[0], "pas") || words[0] == "masterauth"):
		keep = end(1)
	default:
		return line
	}
	if keep >= len(line) {
		return line
	}
	return line[:keep] + " ***"
}
