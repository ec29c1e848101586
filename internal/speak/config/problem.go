package config

import (
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing that is wrong (or worth a warning) at one place of the file. Neither text holds a secret.
type Problem struct {
	// File is the name that the caller gave.
	File string
	// Line and Column count from 1.
	Line, Column int
	// What is wrong, and what to Do about it: both lower case, without a full stop.
	What, Do string
}

// String returns the form that all of Redkeep's configuration errors have.
func (p Problem) String() string {
	return fmt.Sprintf("%s:%d:%d: %s; %s", p.File, p.Line, p.Column, p.What, p.Do)
}

// Errors is all that is wrong with a file, sorted by position. It is never empty when it is returned as an error.
type Errors []Problem

// Error returns one line for each problem.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, p := range e {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// sortProblems orders by line and column; problems at the same place stay in the order they were found.
func sortProblems(p []Problem) {
	slices.SortStableFunc(p, func(a, b Problem) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
}
