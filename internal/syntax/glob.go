package syntax

import "strings"

// Match reports whether a name is covered by a pattern as Redis has them: * ? [abc] [^a-z] and \ before a literal.
func Match(pattern, name string) bool {
	p, n := 0, 0
	star, from := -1, 0 // where the last * is, and which bytes of the name it has taken so far
	for n < len(name) {
		if p < len(pattern) && pattern[p] == '*' {
			star, from = p, n
			p++
			continue
		}
		if p < len(pattern) {
			if next, ok := matchOne(pattern, p, name[n]); ok {
				p, n = next, n+1
				continue
			}
		}
		if star < 0 {
			return false
		}
		from++
		p, n = star+1, from
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// MatchFold is Match for names whose case does not count.
func MatchFold(pattern, name string) bool {
	return Match(strings.ToLower(pattern), strings.ToLower(name))
}

// matchOne holds a byte against the part of the pattern that starts at p and is no *, and returns where the next part starts.
func matchOne(pattern string, p int, b byte) (next int, ok bool) {
	switch c := pattern[p]; {
	case c == '?':
		return p + 1, true
	case c == '[':
		return matchClass(pattern, p+1, b)
	case c == '\\' && p+1 < len(pattern):
		return p + 2, pattern[p+1] == b
	default:
		return p + 1, c == b
	}
}

// matchClass holds a byte against a class whose first byte is at p. One that is not closed ends with the pattern.
func matchClass(pattern string, p int, b byte) (next int, ok bool) {
	not := p < len(pattern) && pattern[p] == '^'
	if not {
		p++
	}
	for ; p < len(pattern) && pattern[p] != ']'; p++ {
		switch {
		case pattern[p] == '\\' && p+1 < len(pattern):
			p++
			ok = ok || pattern[p] == b
		case p+2 < len(pattern) && pattern[p+1] == '-':
			low, high := min(pattern[p], pattern[p+2]), max(pattern[p], pattern[p+2])
			ok = ok || low <= b && b <= high
			p += 2
		default:
			ok = ok || pattern[p] == b
		}
	}
	return min(p+1, len(pattern)), ok != not
}
