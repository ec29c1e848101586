package syntax

import (
	"strings"
	"testing"
)

func TestPatterns(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"*", "", true}, {"*", "+switch-master", true}, {"+switch-*", "+switch-master", true}, {"*-master", "+switch-master", true},
		{"+s*c*r", "+switch-master", true}, {"", "", true}, {"", "x", false}, {"?", "x", true}, {"?", "", false}, {"h[ae]llo", "hello", true},
		{"h[^e]llo", "hello", false}, {"h[^e]llo", "hallo", true}, {"h[a-f]llo", "hello", true}, {"h[f-a]llo", "hello", true},
		{`\*`, "*", true}, {`\*`, "x", false}, {"[", "x", false}, {"[x", "x", true}, {`a\`, `a\`, true}, {"*a*b", "aab", true},
		{strings.Repeat("a*", 100) + "b", strings.Repeat("a", 250), false}, {"a**", "a", true}, {`[\]]`, "]", true},
	} {
		if got := Match(c.pattern, c.name); got != c.want {
			t.Errorf("%q covers %q: %v", c.pattern, c.name, got)
		}
	}
}
