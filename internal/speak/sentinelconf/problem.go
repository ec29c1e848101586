package sentinelconf

import (
	"fmt"
	"slices"
	"strings"
)

// Kind is why a line is refused. Each is one of redis-sentinel's own reasons.
type Kind uint8

// The reasons.
const (
	// Unreadable: unbalanced quotes, a zero byte, a file that is too long.
	Unreadable Kind = iota + 1
	// UnknownDirective: not a directive of Redis 7.0. A later Redis or Valkey may know it.
	UnknownDirective
	// UnknownStatement: an unknown word after sentinel, or the wrong number of words.
	UnknownStatement
	// UnknownMaster: no monitor line has that name.
	UnknownMaster
	// DuplicateMaster: a second monitor line with that name.
	DuplicateMaster
	// BadQuorum: less than 1.
	BadQuorum
	// BadPort: outside 0 to 65535.
	BadPort
	// BadHost: not an IP address, without resolve-hostnames.
	BadHost
	// BadTime: a time of zero or less, where that means nothing.
	BadTime
	// DuplicateRename: a command renamed twice.
	DuplicateRename
	// DuplicateSentinel: two known-sentinel lines with the same ID.
	DuplicateSentinel
	// BadID: myid is not of 40 characters.
	BadID
	// NotYesNo: another word where yes or no is wanted.
	NotYesNo
	// NotExecutable: a script that isn't there or may not be run.
	NotExecutable
)

// Problem is one thing that is wrong at one line. Neither text holds a password.
type Problem struct {
	Kind Kind
	// File is the name that the caller gave; Line counts from 1.
	File string
	Line int
	// What is wrong, and what to Do about it: both without a full stop.
	What, Do string

	// reason is redis-sentinel's own text, and raw the line, which may hold a password.
	reason, raw string
}

// String returns one line.
func (p Problem) String() string { return fmt.Sprintf("%s:%d: %s; %s", p.File, p.Line, p.What, p.Do) }

// Errors is what is wrong with a file, sorted by line. It is never empty when it is returned as an error.
type Errors []Problem

// Error returns one line for each problem.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, p := range e {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// But returns the problems of all other kinds.
func (e Errors) But(kind Kind) Errors {
	return slices.DeleteFunc(slices.Clone(e), func(p Problem) bool { return p.Kind == kind })
}

// Shown is as much of a word as a message may repeat: a password that was run together with its directive stays out of it,
// and so does what would confuse a terminal.
func Shown(word string) string {
	const most = 40
	for i, c := range word {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && (i == 0 || c != '-' && c != '_' && c != '.') || i >= most {
			return word[:i] + "…"
		}
	}
	return word
}
