package bench

import (
	"context"
	"os/exec"
	"slices"
	"time"

	"redkeep/internal/stage/writer"
)

// contender is one way to keep a master.
type contender struct {
	// name is what the table calls it, and about how it is set up and how clients find the master.
	name, about string
	// faults are those that it is measured with; empty for all.
	faults []string
	// needs are programs that must be in PATH, with the package of Debian that has each.
	needs map[string]string
	// enter sets it up on a site whose servers run, with the first host's as the master.
	enter func(context.Context, *site) (keeper, error)
}

// keeper is a contender at work on a site.
type keeper interface {
	// ready reports whether a failover could succeed now.
	ready(context.Context) bool
	// finder is how its clients find the master.
	finder() writer.Finder
	// switchover moves the master elsewhere, as its users do when they plan it. It may return before that is done.
	switchover(context.Context) error
}

// vip is the address by which the clients of those contenders find the master that move one. The stage leaves it free.
const vip = "10.77.0.100"

// group is the name of the group, which is what Sentinel calls the master's name.
const group = "orders"

// all returns every contender, in the order of the table. Redkeep is the first: ratios are to its medians.
func all(binary string) []contender {
	return []contender{
		redkeep("redkeep", binary, time.Second, nil),
		redkeep("redkeep-200ms", binary, 200*time.Millisecond, []string{"power-off", "cut", "deaf"}),
		sentinel("redis-sentinel", true),
		sentinel("sentinel-discovery", false),
		keepalived(),
		bareScript(),
	}
}

// meets reports whether the contender is measured with the fault.
func (c contender) meets(fault string) bool {
	return len(c.faults) == 0 || slices.Contains(c.faults, fault)
}

// missing returns the packages that this machine lacks for the contender, in order.
func (c contender) missing() []string {
	var packages []string
	for program, pkg := range c.needs {
		if _, err := exec.LookPath(program); err != nil && !slices.Contains(packages, pkg) {
			packages = append(packages, pkg)
		}
	}
	slices.Sort(packages)
	return packages
}
