package explain

import (
	"strconv"
	"strings"
	"unicode"

	"redkeep/internal/words"
)

// Sentence returns what the reason says: lower case, without a full stop, and after a semicolon what a person can do. A
// code without a sentence (of a later release) is printed as it is, and no reason is an empty string.
func Sentence(r words.Reason) string {
	s, ok := sentences[r.Code]
	if !ok {
		return Printable(r.String())
	}
	said := expand(s.says, r)
	if r.Other != "" && !strings.Contains(s.says+s.do, "{other") {
		said += ", says " + string(r.Other)
	}
	if r.Text != "" && !strings.Contains(s.says, "{text") {
		said += " (" + Printable(r.Text) + ")"
	}
	if s.do == "" {
		return said
	}
	return said + "; " + expand(s.do, r)
}

// Slug returns the anchor of the code's paragraph in the documentation. It is stable, as codes are.
func Slug(c words.Code) string { return "reason-" + string(c) }

// sentence is what a code says. Both texts may have places for the reason's values, such as {node} (see fill), and parts
// in square brackets that are left out where the reason has no value for them.
type sentence struct {
	says string
	// do is what a person can do about it; empty where that is nothing.
	do string
}

// expand puts the reason's values into the text.
func expand(text string, r words.Reason) string {
	var b strings.Builder
	for text != "" {
		always, rest, _ := strings.Cut(text, "[")
		b.WriteString(places(always, r))
		optional, after, _ := strings.Cut(rest, "]")
		if hasValue(optional, r) {
			b.WriteString(places(optional, r))
		}
		text = after
	}
	return b.String()
}

// hasValue reports whether the reason has what the text asks for: a number, or a name or a text where it asks for no number.
func hasValue(text string, r words.Reason) bool {
	asks := func(value string) bool {
		return strings.Contains(text, "{"+value+"}") || strings.Contains(text, "{"+value+" ")
	}
	if n, m := asks("n"), asks("m"); n || m {
		return n && r.N != 0 || m && r.M != 0
	}
	return r.Node != "" && asks("node") || r.Other != "" && asks("other") || r.Text != "" && asks("text")
}

// places fills each place of the text.
func places(text string, r words.Reason) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, "{")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		place, after, _ := strings.Cut(rest, "}")
		b.WriteString(fill(place, r))
		text = after
	}
}

// fill returns the words for one place.
func fill(place string, r words.Reason) string {
	switch place {
	case "node":
		return orElse(string(r.Node), "this node")
	case "NODE":
		// Within a command, where the reader has to put a name if the reason has none.
		return orElse(string(r.Node), "NODE")
	case "server":
		return server(r.Node, "the server")
	case "a server":
		return server(r.Node, "a server that can be its master")
	case "other":
		return orElse(string(r.Other), "another node")
	case "other's server":
		return server(r.Other, "another server")
	case "n":
		return count(r.N)
	case "m":
		return count(r.M)
	case "n bytes":
		return bytes(r.N)
	case "n keys":
		return plural(r.N, "key", "keys")
	case "m keys":
		return plural(r.M, "key", "keys")
	case "n us":
		return strconv.FormatFloat(float64(r.N)/1000, 'f', 1, 64) + " ms"
	case "n ms":
		return length(r.N)
	case "m ms":
		return length(r.M)
	case "text":
		return orElse(Printable(r.Text), "another program")
	default:
		return "{" + place + "}"
	}
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// server names a node's server.
func server(n words.Node, otherwise string) string {
	if n == "" {
		return otherwise
	}
	return string(n) + "'s server"
}

// count prints a number in groups of three digits: 1,234,567.
func count(n int64) string {
	digits := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, digits = "-", digits[1:]
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return sign + digits
}

func bytes(n int64) string { return plural(n, "byte", "bytes") }

func plural(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return count(n) + " " + many
}

// length prints milliseconds in the unit that people would use.
func length(ms int64) string {
	switch {
	case ms < 10_000:
		return count(ms) + " ms"
	case ms < 120_000:
		return strconv.FormatFloat(float64(ms)/1000, 'f', 1, 64) + " s"
	default:
		return count(ms/60_000) + " min"
	}
}

// Printable takes out what could move a terminal's cursor: the text is somebody else's.
func Printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, text)
}
