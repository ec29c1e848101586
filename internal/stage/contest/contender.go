package contest

import (
	"context"
	"os/exec"
	"slices"
	"time"

	"redkeep/internal/stage"
	"redkeep/internal/stage/writer"
)

// Contender is one way to keep a master.
type Contender struct {
	// Name is what tables call it, and About how it is set up and how clients find the master.
	Name, About string
	// Hosts are the names of the servers' hosts, the first one's the master; empty for the stage's three.
	Hosts []string
	// Faults are the names of those that it is measured with; empty for all that are not for a pair.
	Faults []string
	// Advertises is the interval of the VRRP advertisements by which it knows that a host is lost; 0 if it has none.
	Advertises time.Duration
	// Needs are programs that must be in PATH, with the package of Debian that has each.
	Needs map[string]string
	// Enter sets it up on a site whose servers run, with the first host's as the master.
	Enter func(context.Context, *Site) (Keeper, error)
}

// attendant is a keeper whose own program on the first host can be struck.
type attendant interface {
	Keeper
	// agent is that program.
	agent() *stage.Process
	// startAgent starts it again, after its end.
	startAgent() error
}

// Keeper is a contender at work on a site.
type Keeper interface {
	// Ready reports whether a failover could succeed now.
	Ready(context.Context) bool
	// Finder is how its clients find the master.
	Finder() writer.Finder
	// Switchover moves the master elsewhere, as its users do when they plan it. It may return before that is done.
	Switchover(context.Context) error
}

// group is the name of the group, which is what Sentinel calls the master's name.
const group = "orders"

// Meets reports whether the contender is measured with the fault.
func (c Contender) Meets(fault string) bool {
	if len(c.Faults) > 0 {
		return slices.Contains(c.Faults, fault)
	}
	f, known := FaultNamed(fault)
	return known && !f.pair
}

// Missing returns the packages that this machine lacks for the contender, in order.
func (c Contender) Missing() []string {
	var packages []string
	for program, pkg := range c.Needs {
		if _, err := exec.LookPath(program); err != nil && !slices.Contains(packages, pkg) {
			packages = append(packages, pkg)
		}
	}
	slices.Sort(packages)
	return packages
}
