package api

import (
	"encoding/json"
	"fmt"
	"time"

	"redkeep/internal/words"
)

// Version is the version of requests and replies. It changes when a field is given another meaning; fields that are only
// added leave it, since both ends overlook what they don't know.
const Version = 1

// Verb is what a request asks for.
type Verb string

// The verbs. Status, History and Definition are answered at once; the others change something, and may report progress.
const (
	Status     Verb = "status"
	History    Verb = "history"
	Definition Verb = "definition"
	Switchover Verb = "switchover"
	Bootstrap  Verb = "bootstrap"
	Recover    Verb = "recover"
	Leave      Verb = "leave"
	Pause      Verb = "pause"
	Resume     Verb = "resume"
)

// Request is what the command line asks of one agent.
type Request struct {
	Version int  `json:"version"`
	Verb    Verb `json:"verb"`
	// Group may be left empty where the agent has a single one. Status does not look at it.
	Group words.Group `json:"group,omitempty"`
	// Node is the switchover's target, empty for the best one, or the node that Bootstrap makes the master, or the one whose
	// Definition is asked for, empty for that of the asked agent itself.
	Node words.Node `json:"node,omitempty"`
	// AcceptLoss is a person's word that lost data are accepted, for Bootstrap and Recover.
	AcceptLoss bool `json:"accept_loss,omitempty"`
	// ForMS is how long a Pause lasts, in milliseconds; Text says why, in at most MaxText bytes.
	ForMS int64  `json:"for_ms,omitempty"`
	Text  string `json:"text,omitempty"`
	// Last is how many entries of the History are wanted, the newest ones, 0 for all; SinceMS how old the oldest may be, 0 for any age.
	Last    int   `json:"last,omitempty"`
	SinceMS int64 `json:"since_ms,omitempty"`
}

// MaxText is the longest reason for a pause, in bytes: as much as travels among the agents.
const MaxText = 80

// MarshalRequest returns the request's bytes, with this release's version.
func MarshalRequest(r Request) ([]byte, error) {
	r.Version = Version
	b, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("write request: %w", err)
	}
	return b, nil
}

// parseRequest reads a request, and checks what can be checked without knowing the groups.
func parseRequest(b []byte) (Request, *Error) {
	var r Request
	if err := json.Unmarshal(b, &r); err != nil {
		return r, &Error{Usage, "the request is not readable: " + err.Error()}
	}
	if r.Version != Version {
		return r, &Error{OtherRelease, fmt.Sprintf("the command speaks version %d and the agent version %d; use the same release of redkeep for both", r.Version, Version)}
	}
	switch r.Verb {
	case Status, History, Definition, Switchover, Recover, Leave, Resume:
	case Pause:
		if bad := checkPause(r); bad != nil {
			return r, bad
		}
	case Bootstrap:
		if r.Node == "" {
			return r, &Error{Usage, "bootstrap needs the node whose data are to be kept; name it with --master"}
		}
	default:
		return r, &Error{OtherRelease, fmt.Sprintf("the agent does not know %q; use the same release of redkeep for both", r.Verb)}
	}
	return r, nil
}

func checkPause(r Request) *Error {
	if d := time.Duration(r.ForMS) * time.Millisecond; d < time.Second || r.ForMS > words.LongestPause.Milliseconds() {
		return &Error{Usage, fmt.Sprintf("a pause lasts from 1s to %v; choose with --for", words.LongestPause)}
	}
	if len(r.Text) > MaxText {
		return &Error{Usage, fmt.Sprintf("the reason has %d bytes, and at most %d are told; say it shorter", len(r.Text), MaxText)}
	}
	return nil
}
