package lab

import (
	"flag"
	"os"
	"strconv"
)

// long asks for the repetitions and the lengths of the table instead of a few.
var long = flag.Bool("lab.long", false, "repeat each fault as often, and let it last as long, as the table of numbers says")

// via is how the application of a test finds the master.
var via = flag.String("lab.via", "vip", "how the application finds the master: by the group's address (vip), or as a client of Sentinel does (sentinel)")

// logs asks for the agents' logs of tests that pass, too.
var logs = flag.Bool("lab.logs", false, "print the agents' logs of every test, not only of one that fails")

// pick returns the short choice, or with -lab.long the long one.
func pick[T any](short, whole T) T {
	if *long {
		return whole
	}
	return short
}

// runs is how often a fault is repeated: RUNS of the environment, or the choice.
func runs(short, whole int) int {
	if n, err := strconv.Atoi(os.Getenv("RUNS")); err == nil && n > 0 {
		return n
	}
	return pick(short, whole)
}

// few are some of a whole, by their places, in the short form.
func few[T any](whole []T, places ...int) []T {
	if *long {
		return whole
	}
	var some []T
	for _, i := range places {
		some = append(some, whole[i])
	}
	return some
}
