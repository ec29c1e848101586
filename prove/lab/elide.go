package lab

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

var (
	address  = regexp.MustCompile(`\b\d+\.\d+\.\d+\.\d+\b`)
	duration = regexp.MustCompile(`\b(\d[\d,.]*(ns|us|µs|ms|s|m|h))+\b|\b\d[\d,.]* (ms|s|min|h)\b`)
	number   = regexp.MustCompile(`\b\d[\d,]*(\.\d+)?\b`)
	spaces   = regexp.MustCompile(`[ \t]+`)
)

// elide takes out of a printed line what differs from run to run: numbers, lengths of time, and how wide a table's columns
// are. Addresses stay, and so do digits within a word: h1 is not h2.
func elide(line string) string {
	var kept []string
	line = address.ReplaceAllStringFunc(line, func(a string) string {
		kept = append(kept, a)
		return "\x00"
	})
	line = duration.ReplaceAllString(line, "TIME")
	line = number.ReplaceAllString(line, "N")
	for _, a := range kept {
		line = strings.Replace(line, "\x00", a, 1)
	}
	return strings.TrimSpace(spaces.ReplaceAllString(line, " "))
}

// compare holds what was printed against what a page shows. In the page, a line "..." stands for any lines, and "…" for any
// text within one.
func compare(shown, printed []string) error {
	shown, printed = trim(shown), trim(printed)
	if matches(shown, printed) {
		return nil
	}
	return fmt.Errorf("the page shows\n  %s\nand this was printed:\n  %s", strings.Join(shown, "\n  "), strings.Join(printed, "\n  "))
}

// trim drops the empty lines at the end.
func trim(lines []string) []string {
	for len(lines) > 0 && strings.TrimSpace(lines[len(lines)-1]) == "" {
		lines = lines[:len(lines)-1]
	}
	return slices.Clone(lines)
}

func matches(shown, printed []string) bool {
	if len(shown) == 0 {
		return len(printed) == 0
	}
	if strings.TrimSpace(shown[0]) == "..." {
		for skip := range len(printed) + 1 {
			if matches(shown[1:], printed[skip:]) {
				return true
			}
		}
		return false
	}
	return len(printed) > 0 && same(shown[0], printed[0]) && matches(shown[1:], printed[1:])
}

// same compares one line.
func same(shown, printed string) bool {
	parts := strings.Split(shown, "…")
	for i, part := range parts {
		parts[i] = regexp.QuoteMeta(elide(part))
	}
	pattern := regexp.MustCompile("^" + strings.Join(parts, ".*") + "$")
	return pattern.MatchString(elide(printed))
}
