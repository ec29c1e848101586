package bench

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"redkeep/internal/stage/contest"
)

// field returns every contender, in the order of the table. Redkeep is the first: ratios are to its medians.
func field(binary string) []contest.Contender {
	return []contest.Contender{
		contest.Redkeep("redkeep", binary, time.Second, true, nil),
		contest.Redkeep("redkeep-200ms", binary, 200*time.Millisecond, true, []string{"power-off", "cut", "deaf"}),
		contest.Redkeep("redkeep-discovery", binary, time.Second, false, nil),
		contest.Sentinel("redis-sentinel", true),
		contest.Sentinel("sentinel-discovery", false),
		contest.Keepalived(),
		contest.Pair("redkeep-pair", binary, time.Second, pairFaults),
		contest.KeepalivedPair("keepalived-pair", 340*time.Millisecond, pairFaults),
		bareScript(),
	}
}

// pairFaults leaves out what cuts the two of a pair off from one another: two hosts can't have one master then, whoever keeps it.
var pairFaults = []string{"kill", "power-off", "hang", "switchover", "failback", "agent-kill", "agent-freeze"}

// usual is how many faults are measured when nothing is said: the first ones.
const usual = 4

// choose reads a list of faults' names: separated by commas or blanks, "all", or empty for the usual ones.
func choose(list string) ([]contest.Fault, error) {
	names := strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
	switch {
	case len(names) == 0:
		return contest.Faults[:usual], nil
	case slices.Equal(names, []string{"all"}):
		return contest.Faults, nil
	}
	var chosen []contest.Fault
	for _, name := range names {
		i := slices.IndexFunc(contest.Faults, func(f contest.Fault) bool { return f.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("choose faults: there is no %q; there are all, %s", name, strings.Join(faultNames(), ", "))
		}
		chosen = append(chosen, contest.Faults[i])
	}
	return chosen, nil
}

func faultNames() []string {
	var names []string
	for _, f := range contest.Faults {
		names = append(names, f.Name)
	}
	return names
}
