package demo

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// page is where the story is told.
type page struct {
	out io.Writer
	// gone is told that the page can't be written; nil is nobody.
	gone        func()
	bold, faint func(string) string
	// blocks says that the page shows Unicode's block elements.
	blocks bool
}

// say prints one line.
func (p *page) say(format string, args ...any) {
	_, err := io.WriteString(p.out, strings.TrimRight(fmt.Sprintf(format, args...), " ")+"\n")
	if err != nil && p.gone != nil {
		p.gone()
	}
}

// ms prints a length in milliseconds, with as many digits as mean something.
func ms(d time.Duration) string {
	n := float64(d) / float64(time.Millisecond)
	switch {
	case d == 0:
		return "0 ms"
	case n >= 100:
		return fmt.Sprintf("%.0f ms", n)
	default:
		return fmt.Sprintf("%.1f ms", n)
	}
}

// length is ms for what may be much shorter than a millisecond.
func length(d time.Duration) string {
	if d < time.Millisecond {
		return fmt.Sprintf("%.2f ms", float64(d)/float64(time.Millisecond))
	}
	return ms(d)
}

// countOf prints a number with its noun.
func countOf(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
