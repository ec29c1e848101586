package bench

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"redkeep/internal/stage/clock"
)

// fault is what is done to the first host, which has the master.
type fault struct {
	// name is what the command line calls it, and about what is done.
	name, about string
	// strike does it and returns the instant just before.
	strike func(context.Context, *trial) (clock.Instant, error)
	// mend ends it, once writes go on; nil where the trial ends without.
	mend func(*trial) error
	// silent says that the victim can't be asked for its role until it is mended.
	silent bool
}

// faults are those that can be measured, in the order of the table; the first four are measured when nothing is said.
var faults = []fault{
	{name: "kill", about: "the master's Redis gets SIGKILL", strike: kill, silent: true},
	{name: "power-off", about: "the master's host loses its power", strike: powerOff, silent: true},
	{name: "cut", about: "the master's host is cut off both ways, and healed when writes go on", strike: cut, mend: heal, silent: true},
	{name: "switchover", about: "a planned switchover at 1,000 writes/s", strike: switchover},
	{name: "hang", about: "the master's Redis gets SIGSTOP, and SIGCONT when writes go on", strike: hang, mend: thaw, silent: true},
	{name: "deaf", about: "the master's host hears nothing and is still heard, and healed when writes go on", strike: deafen, mend: heal, silent: true},
}

const usual = 4

// choose reads a list of faults' names: separated by commas or blanks, "all", or empty for the usual ones.
func choose(list string) ([]fault, error) {
	names := strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
	switch {
	case len(names) == 0:
		return faults[:usual], nil
	case slices.Equal(names, []string{"all"}):
		return faults, nil
	}
	var chosen []fault
	for _, name := range names {
		i := slices.IndexFunc(faults, func(f fault) bool { return f.name == name })
		if i < 0 {
			return nil, fmt.Errorf("choose faults: there is no %q; there are all, %s", name, strings.Join(faultNames(), ", "))
		}
		chosen = append(chosen, faults[i])
	}
	return chosen, nil
}

func faultNames() []string {
	var names []string
	for _, f := range faults {
		names = append(names, f.name)
	}
	return names
}

func kill(_ context.Context, t *trial) (clock.Instant, error) { return t.site.victim().Kill() }

func powerOff(_ context.Context, t *trial) (clock.Instant, error) {
	at := clock.Now()
	return at, t.site.PowerOff(t.site.victim().Host().Name())
}

func cut(_ context.Context, t *trial) (clock.Instant, error) {
	at := clock.Now()
	return at, t.site.Cut(t.site.victim().Host().Name())
}

func deafen(_ context.Context, t *trial) (clock.Instant, error) {
	at := clock.Now()
	return at, t.site.CutInbound(t.site.victim().Host().Name())
}

func heal(t *trial) error { return t.site.Heal(t.site.victim().Host().Name()) }

func switchover(ctx context.Context, t *trial) (clock.Instant, error) {
	at := clock.Now()
	return at, t.keeper.switchover(ctx)
}

func hang(_ context.Context, t *trial) (clock.Instant, error) {
	at := clock.Now()
	return at, t.site.victim().Process().Freeze()
}

func thaw(t *trial) error { return t.site.victim().Process().Thaw() }
