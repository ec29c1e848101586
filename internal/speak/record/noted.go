package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"redkeep/internal/words"
)

// noted is words.Reason as it is in the history.
type noted struct {
	Code  words.Code `json:"code"`
	Node  words.Node `json:"node,omitempty"`
	Other words.Node `json:"other,omitempty"`
	N     int64      `json:"n,omitempty"`
	M     int64      `json:"m,omitempty"`
	Text  string     `json:"text,omitempty"`
}

// errNoted is wrapped by the errors about a line that no Noted made, such as one that a power cut has torn.
var errNoted = errors.New("no line of a history")

// Noted returns one line of a group's history: the time (UTC), the sentence for whoever opens the file, and after a tab the
// reason itself.
func Noted(at time.Time, sentence string, r words.Reason) string {
	b, err := json.Marshal(noted(r))
	if err != nil {
		panic(fmt.Sprintf("record: %v", err)) // strings and numbers: there is nothing that could fail
	}
	return at.UTC().Format(time.RFC3339Nano) + " " + strings.ReplaceAll(sentence, "\t", " ") + "\t" + string(b)
}

// ParseNoted reads a line again, without its sentence, which a later release may word otherwise.
func ParseNoted(line string) (time.Time, words.Reason, error) {
	head, tail, found := strings.Cut(line, "\t")
	stamp, _, _ := strings.Cut(head, " ")
	at, err := time.Parse(time.RFC3339Nano, stamp)
	if err != nil || !found {
		return time.Time{}, words.Reason{}, fmt.Errorf("parse history: %w", errNoted)
	}
	var r noted
	if err := json.Unmarshal([]byte(tail), &r); err != nil || r.Code == "" {
		return time.Time{}, words.Reason{}, fmt.Errorf("parse history: %w", errNoted)
	}
	return at, words.Reason(r), nil
}
