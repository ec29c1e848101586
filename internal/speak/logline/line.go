package logline

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Level is how much a line matters, the least first.
type Level uint8

// The levels. A configuration's loglevel names the lowest that is written.
const (
	Debug Level = iota
	Verbose
	Notice
	Warning
)

// ParseLevel reads a loglevel, in letters of either case, and reports whether there is one of that name.
func ParseLevel(name string) (Level, bool) {
	for i, n := range levelNames {
		if strings.EqualFold(n, name) {
			return Level(i), true
		}
	}
	return 0, false
}

// levelNames and levelMarks are in the order of the levels.
var levelNames = [...]string{"debug", "verbose", "notice", "warning"}

const levelMarks = ".-*#"

// String is the name that a configuration has for it.
func (l Level) String() string { return levelNames[l] }

// Sentinel is the role of a Sentinel.
const Sentinel = 'X'

// MaxText is the most bytes of a text that a line has; the rest is left out. Redis' limit is 1,023.
const MaxText = 4096

// Append prints one line and its end. at is printed in its own location.
func Append(b []byte, pid int, role byte, at time.Time, level Level, text string) []byte {
	b = strconv.AppendInt(b, int64(pid), 10)
	b = append(b, ':', role, ' ')
	b = at.AppendFormat(b, "02 Jan 2006 15:04:05.000 ")
	b = append(b, levelMarks[level], ' ')
	return append(AppendText(b, text), '\n')
}

// AppendText prints a text alone, as Append does. Control characters are escaped, and what is not UTF-8 is left as it is.
func AppendText(b []byte, text string) []byte {
	if len(text) > MaxText {
		end := MaxText
		for end > MaxText-utf8.UTFMax && !utf8.RuneStart(text[end]) {
			end--
		}
		text = text[:end]
	}
	for i := range len(text) {
		switch c := text[i]; {
		case c >= ' ' && c != 0x7f, c == '\t':
			b = append(b, c)
		case c == '\n':
			b = append(b, `\n`...)
		case c == '\r':
			b = append(b, `\r`...)
		default:
			const digits = "0123456789abcdef"
			b = append(b, '\\', 'x', digits[c>>4], digits[c&15])
		}
	}
	return b
}
