package contest

import (
	"slices"
	"testing"
)

func TestMissingNamesPackages(t *testing.T) {
	c := Contender{Needs: map[string]string{"no-such-program-1": "b", "no-such-program-2": "a", "no-such-program-3": "b", "sh": "dash"}}
	if got := c.Missing(); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("missing are %v; want a and b", got)
	}
}
