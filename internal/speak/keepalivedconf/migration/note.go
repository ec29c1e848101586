package migration

import "fmt"

// Fate is what became of a line.
type Fate string

// The fates.
const (
	// Took: its value is in the file.
	Took Fate = "took"
	// Dropped: Redkeep has no use for it.
	Dropped Fate = "dropped"
	// Asks: something only a person knows.
	Asks Fate = "asks"
)

// Note is one sentence about one line, or about the whole. It holds no password.
type Note struct {
	// File and Line say where; Line is 0 for a question that no single line raises.
	File string
	Line int
	Fate Fate
	Text string
}

// String returns one line.
func (n Note) String() string {
	if n.Line > 0 {
		return fmt.Sprintf("%s:%d: %s %s", n.File, n.Line, n.Fate, n.Text)
	}
	return fmt.Sprintf("%s: %s", n.Fate, n.Text)
}
