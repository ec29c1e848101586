package acl

import "strings"

// merge joins the words of a selector that was written as several, "(+ping" "~x)", into one. It returns the place of the
// word that opens one which nothing closes, or -1. A second one that opens starts anew: what was joined is lost, as with Redis.
func merge(words []string) (rules []string, open int) {
	open = -1
	var joined strings.Builder
	for i, w := range words {
		closes := strings.HasSuffix(w, ")")
		switch {
		case strings.HasPrefix(w, "(") && !closes:
			open = i
			joined.Reset()
			joined.WriteString(w)
		case open < 0:
			rules = append(rules, w)
		default:
			joined.WriteString(" " + text(w))
			if closes {
				rules, open = append(rules, joined.String()), -1
			}
		}
	}
	return rules, open
}
