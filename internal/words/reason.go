package words

import "fmt"

// Code names a reason. Every code has a sentence in speak/explain.
type Code string

// Reason is why something was decided or refused: the one value that explain, history, log and metrics print.
type Reason struct {
	Code Code
	// Node is whom it is about, Other a second one (who refused, who is better).
	Node, Other Node
	// N and M are the numbers of the sentence (bytes, milliseconds, epochs), as its code says.
	N, M int64
	// Text is somebody else's word, such as an error.
	Text string
}

// String prints the reason for logs and scenario files; people get speak/explain's sentence.
func (r Reason) String() string {
	s := string(r.Code)
	if r.Node != "" {
		s += " " + string(r.Node)
	}
	if r.Other != "" {
		s += " by " + string(r.Other)
	}
	if r.N != 0 || r.M != 0 {
		s += fmt.Sprintf(" %d/%d", r.N, r.M)
	}
	if r.Text != "" {
		s += fmt.Sprintf(" (%s)", r.Text)
	}
	return s
}

// Zero reports whether there is no reason.
func (r Reason) Zero() bool { return r.Code == "" }
