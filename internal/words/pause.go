package words

import (
	"cmp"
	"time"
)

// LongestPause bounds how long one pause may last: nobody forgets a maintenance for more than a day without being asked again.
const LongestPause = 24 * time.Hour

// Pause is a person's word that nobody is to be elected unasked, for a while. The value of a later version replaces every
// earlier one. A pause that was lifted or is over stays as a value with no time left: whoever missed its end hears of it so.
type Pause struct {
	// Count and By are its version: By is the node whose agent was asked, and decides between two of one count. The zero Count
	// is that of a group which was never paused.
	Count uint64
	By    Node
	// For is how long it was to last, and Left how much of that is left from when this value was made or written.
	For, Left time.Duration
	// Text is the person's reason; it may be empty.
	Text string
}

// Newer reports whether the pause replaces another.
func (p Pause) Newer(than Pause) bool {
	return cmp.Or(cmp.Compare(p.Count, than.Count), cmp.Compare(p.By, than.By)) > 0
}

// Same reports whether both are of one version: only the time that is left may differ.
func (p Pause) Same(as Pause) bool { return p.Count == as.Count && p.By == as.By }
