package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// code is the process's exit code. Scripts rely on these; a new meaning gets a new number.
type code int

const (
	// exitDone: the command did what it says.
	exitDone code = 0
	// exitFailed: it could not, and the error says why.
	exitFailed code = 1
	// exitUsage: the arguments or the configuration are wrong; nothing was tried.
	exitUsage code = 2
	// exitNoAgent: no agent answered, or not in time; what was asked for may or may not have happened.
	exitNoAgent code = 3
	// exitRefused: it would be unsafe, or is not possible now; the error says what overrides that, if anything does.
	exitRefused code = 4
	// exitNoMajority: too few voters are heard for it.
	exitNoMajority code = 5
)

// exitCodes is the paragraph of the root command's help.
const exitCodes = `Exit codes:
  0  done
  1  failed; the error says why
  2  wrong arguments or configuration; nothing was tried
  3  no agent answered in time; what was asked for may or may not have happened
  4  refused as unsafe; the error names the flag that overrides it, if there is one
  5  too few of the group's voters are heard`

// coded is an error with the exit code that it leads to.
type coded struct {
	code code
	err  error
}

func (c *coded) Error() string { return c.err.Error() }
func (c *coded) Unwrap() error { return c.err }

// withCode attaches an exit code to an error. A nil error stays nil.
func withCode(c code, err error) error {
	if err == nil {
		return nil
	}
	return &coded{c, err}
}

// codeOf returns the code attached to an error, and whether it has one.
func codeOf(err error) (code, bool) {
	if c := (*coded)(nil); errors.As(err, &c) {
		return c.code, true
	}
	return exitFailed, false
}

// complain prints an error for a person or a log, each of its lines with the program's name before it.
func complain(w io.Writer, err error) {
	for line := range strings.SplitSeq(strings.TrimRight(err.Error(), "\n"), "\n") {
		if line != "" {
			_, _ = fmt.Fprintf(w, "redkeep: %s\n", line)
		}
	}
}
