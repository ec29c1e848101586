package syntax

import (
	"slices"
	"testing"
)

// TestSplit holds the quoting against what redis-sentinel 7.0.15 takes.
func TestSplit(t *testing.T) {
	for line, want := range map[string][]string{
		`a  b	c`:               {"a", "b", "c"},
		`"a b" 'c d'`:          {"a b", "c d"},
		`"\x41\n\r\t\b\a\"\\"`: {"A\n\r\t\b\a\"\\"},
		`"\xzz \q"`:            {"xzz q"},
		`'it\'s \n'`:           {`it's \n`},
		`a"b c" d`:             {"ab c", "d"},
		`a\ b`:                 {`a\`, "b"},
		`""`:                   {""},
		"\v\f a\vb":            {"a\vb"},
		`x # y`:                {"x", "#", "y"},
		"":                     nil,
	} {
		if got, ok := Split(line); !ok || !slices.Equal(got, want) {
			t.Errorf("%q: got %q, %v, want %q", line, got, ok, want)
		}
	}
	for _, bad := range []string{`"a`, `'a`, `"a"b`, `'a'b`, `"a\`, `"a\"`, `'a\'`} {
		if got, ok := Split(bad); ok {
			t.Errorf("%q is taken for %q", bad, got)
		}
	}
}
