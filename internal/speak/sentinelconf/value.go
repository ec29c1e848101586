package sentinelconf

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"redkeep/internal/syntax"
)

// refusal is why Redis takes no such value, in its own words, as programs and people know them.
type refusal string

// take reads what follows a directive, and returns it as Redis would write it again; "" is a directive that it then leaves
// out. now is what it was before.
func (d *directive) take(words []string, now string) (string, refusal) {
	if d.kind.many() {
		if len(words) == 1 && words[0] != "" {
			// One word may hold all of them, as --save "1 2" on a command line; what can't be split is none.
			words, _ = syntax.Split(words[0])
		}
		return d.takeMany(words, now)
	}
	if len(words) != 1 {
		return "", "wrong number of arguments"
	}
	word := words[0]
	switch d.kind {
	case kindYesNo:
		if w := strings.ToLower(word); w == "yes" || w == "no" {
			return w, ""
		}
		return "", "argument must be 'yes' or 'no'"
	case kindInteger, kindOctal, kindMemory, kindMemoryOrPercent:
		return d.number(word)
	case kindOneOf:
		return d.choose(words)
	case kindEventClasses:
		return eventFlags(word)
	case kindTextOrNone:
		if word == "" {
			return "", d.valid(word)
		}
	}
	return syntax.Quote(word), d.valid(word)
}

// number reads a number and writes it in the shortest unit that says it all.
func (d *directive) number(word string) (string, refusal) {
	n, percent, why := d.parse(word)
	switch {
	case why != "":
		return "", why
	case percent:
		return strconv.FormatInt(n, 10) + "%", ""
	case n < d.least || n > d.most:
		least, most := max(d.least, 0), d.most
		if d.kind != kindMemory {
			least = d.least
		}
		base := 10
		if d.kind == kindOctal {
			base = 8
		}
		return "", refusal("argument must be between " + strconv.FormatInt(least, base) + " and " + strconv.FormatInt(most, base) + " inclusive")
	case d.kind == kindOctal:
		return strconv.FormatInt(n, 8), ""
	case d.kind == kindInteger:
		return strconv.FormatInt(n, 10), ""
	case d.kind == kindMemoryOrPercent && n < 0:
		return strconv.FormatInt(-n, 10) + "%", ""
	}
	return bytesText(n), ""
}

// parse reads the number itself.
func (d *directive) parse(word string) (n int64, percent bool, why refusal) {
	switch d.kind {
	case kindOctal:
		n, err := strconv.ParseInt(strings.TrimLeft(word, " \t\n\v\f\r"), 8, 64)
		if err != nil && word != "" {
			return 0, false, "argument couldn't be parsed as an octal number"
		}
		return n, false, ""
	case kindInteger:
		n, ok := strictInteger(word)
		if !ok {
			return 0, false, "argument couldn't be parsed into an integer"
		}
		return n, false, ""
	}
	n, ok := bytesOf(word)
	if ok {
		return n, false, ""
	}
	if d.kind == kindMemory {
		return 0, false, "argument must be a memory value"
	}
	n, ok = strictInteger(strings.TrimSuffix(word, "%"))
	switch {
	case !ok || n < 0 || !strings.HasSuffix(word, "%"):
		return 0, false, "argument must be a memory or percent value"
	case n > 100:
		return 0, false, "percentage argument must be less or equal to 100"
	}
	return n, true, ""
}

// strictInteger reads a number that is written as Redis would write it: no space, no plus, no zero in front.
func strictInteger(word string) (int64, bool) {
	n, err := strconv.ParseInt(word, 10, 64)
	return n, err == nil && strconv.FormatInt(n, 10) == word
}

// units are those of memory sizes: k is a thousand and kb is 1024, and so on.
var units = [...]struct {
	name string
	size uint64
}{{"", 1}, {"b", 1}, {"k", 1000}, {"kb", 1 << 10}, {"m", 1000 * 1000}, {"mb", 1 << 20}, {"g", 1000 * 1000 * 1000}, {"gb", 1 << 30}}

// bytesOf reads a memory size. More than 64 bits hold becomes what C makes of it.
func bytesOf(word string) (int64, bool) {
	digits := 0
	for digits < len(word) && word[digits] >= '0' && word[digits] <= '9' {
		digits++
	}
	unit := strings.ToLower(word[digits:])
	for _, u := range units {
		if u.name == unit {
			n, err := strconv.ParseUint(word[:digits], 10, 64)
			if err != nil && digits > 0 {
				n = math.MaxUint64
			}
			return int64(n * u.size), true //nolint:gosec // what does not fit becomes negative, as in C
		}
	}
	return 0, false
}

// bytesText writes a memory size. What didn't fit becomes the most that does; redis-sentinel writes a number that it refuses.
func bytesText(n int64) string {
	if n < 0 {
		n = math.MaxInt64
	}
	for _, u := range slices.Backward(units[:]) {
		if size := int64(u.size); strings.HasSuffix(u.name, "b") && size > 1 && n != 0 && n%size == 0 {
			return strconv.FormatInt(n/size, 10) + u.name
		}
	}
	return strconv.FormatInt(n, 10)
}

// choose reads one or some of a closed set of words, and writes them in the set's order.
func (d *directive) choose(words []string) (string, refusal) {
	known := strings.Fields(d.words)
	var chosen []string
	for _, w := range words {
		if !slices.Contains(known, strings.ToLower(w)) {
			chosen = nil
			break
		}
		chosen = append(chosen, strings.ToLower(w))
	}
	if len(chosen) == 0 {
		return "", refusal("argument(s) must be one of the following: " + strings.Join(known, ", "))
	}
	if d.kind == kindSomeOf {
		if slices.Contains(chosen, "save") && slices.Contains(chosen, "nosave") {
			return "", "shutdown options SAVE and NOSAVE can't be used simultaneously"
		}
		known = slices.DeleteFunc(known, func(w string) bool { return !slices.Contains(chosen, w) })
		if len(known) > 1 && known[0] == "default" {
			known = known[1:] // default is no flag of its own
		}
		return strings.Join(known, " "), ""
	}
	if from, to, _ := strings.Cut(d.same, " "); from == chosen[0] && to != "" {
		return to, ""
	}
	return chosen[0], ""
}

// valid looks at texts that Redis looks at.
func (d *directive) valid(word string) refusal {
	switch d.name {
	case "appendfilename", "appenddirname":
		if word == "" {
			return refusal(d.name + " can't be empty")
		}
		fallthrough
	case "dbfilename":
		if strings.ContainsAny(word, "/\\") {
			what := "a filename"
			if d.name == "appenddirname" {
				what = "a dirname"
			}
			return refusal(d.name + " can't be a path, just " + what)
		}
	case "cluster-announce-hostname":
		return hostname(word)
	case "proc-title-template":
		if !titleTemplate(word) {
			return "template format is invalid or contains unknown variables"
		}
	}
	return ""
}

// hostname looks at a name that a cluster would announce.
func hostname(word string) refusal {
	if len(word) >= 256 {
		return "Hostnames must be less than 256 characters"
	}
	for _, c := range []byte(word) {
		if c != '-' && c != '.' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return "Hostnames may only contain alphanumeric characters, hyphens or dots"
		}
	}
	return ""
}

// titleTemplate reports whether a template of the process' title makes one: it knows seven names in braces, and two
// of them may be empty.
func titleTemplate(word string) bool {
	something := false
	for word != "" {
		if strings.HasPrefix(word, "{{") {
			something, word = true, word[2:]
			continue
		}
		if word[0] != '{' {
			something, word = something || word[0] != ' ', word[1:]
			continue
		}
		name, rest, closed := strings.Cut(word[1:], "}")
		switch {
		case !closed:
			return false
		case name == "title" || name == "unixsocket":
		case name == "listen-addr" || name == "server-mode" || name == "port" || name == "tls-port" || name == "config-file":
			something = true
		default:
			return false
		}
		word = rest
	}
	return something
}
