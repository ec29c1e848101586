package contest

import (
	"slices"
	"testing"
)

func TestMeetsWhatIsForAPairByNameOnly(t *testing.T) {
	for _, c := range []struct {
		faults []string
		fault  string
		want   bool
	}{
		{nil, "kill", true}, {nil, "failback", false}, {nil, "flood", false},
		{[]string{"kill"}, "cut", false}, {[]string{"kill", "failback"}, "failback", true},
	} {
		if got := (Contender{Faults: c.faults}).Meets(c.fault); got != c.want {
			t.Errorf("%v meets %s: %v", c.faults, c.fault, got)
		}
	}
}

func TestMissingNamesPackages(t *testing.T) {
	c := Contender{Needs: map[string]string{"no-such-program-1": "b", "no-such-program-2": "a", "no-such-program-3": "b", "sh": "dash"}}
	if got := c.Missing(); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("missing are %v; want a and b", got)
	}
}
