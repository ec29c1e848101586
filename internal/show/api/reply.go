package api

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Fault is the kind of an error, by which the command line chooses its exit code.
type Fault string

// The faults.
const (
	// Usage: the request itself is wrong; asking again is of no use.
	Usage Fault = "usage"
	// Refused: the agent understood, and won't, for the reason given.
	Refused Fault = "refused"
	// NoMajority: too few voters answer.
	NoMajority Fault = "no_majority"
	// Timeout: no final answer came in time. What was asked for may still happen.
	Timeout Fault = "timeout"
	// Failed: it was tried, and something broke.
	Failed Fault = "failed"
	// Unreachable: the agent could not be asked. Only the client's own end sets it.
	Unreachable Fault = "unreachable"
	// OtherRelease: the two ends don't understand each other.
	OtherRelease Fault = "other_release"
)

// Error is a fault with what to tell the person: what is wrong, and after a semicolon what to do.
type Error struct {
	Fault Fault  `json:"fault"`
	Text  string `json:"text"`
}

// Error returns the text.
func (e *Error) Error() string { return e.Text }

// FaultOf returns the fault of an error; Failed for one that has none, and an empty one for nil.
func FaultOf(err error) Fault {
	var e *Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &e):
		return e.Fault
	default:
		return Failed
	}
}

// Part is one part of an answer. Exactly one of its fields besides Version is set; Done or Error is the last part.
type Part struct {
	Version int `json:"version"`
	// Node comes first in the answer to Status. Its groups follow, each in a part of its own, since a node may have
	// hundreds and a part has a limit.
	Node  *NodeStatus  `json:"node,omitempty"`
	Group *GroupStatus `json:"group,omitempty"`
	// Noted is one entry of the history.
	Noted *NotedEntry `json:"noted,omitempty"`
	// Definition is one line of what an agent's file says of a group.
	Definition string `json:"definition,omitempty"`
	// Progress is a line for the person who waits.
	Progress string `json:"progress,omitempty"`
	Done     *Done  `json:"done,omitempty"`
	Error    *Error `json:"error,omitempty"`
}

// Done ends an answer that went well. Text may be empty.
type Done struct {
	Text string `json:"text,omitempty"`
}

// marshalPart returns the part's bytes.
func marshalPart(p Part) ([]byte, error) {
	p.Version = Version
	b, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("write reply: %w", err)
	}
	return b, nil
}

// ParsePart reads one part of an answer.
func ParsePart(b []byte) (Part, error) {
	var p Part
	if err := json.Unmarshal(b, &p); err != nil {
		return Part{}, &Error{OtherRelease, "the agent's answer is not readable: " + err.Error()}
	}
	if p.Version != Version {
		return Part{}, &Error{OtherRelease, fmt.Sprintf("the agent speaks version %d and this command version %d; use the same release of redkeep for both", p.Version, Version)}
	}
	return p, nil
}
