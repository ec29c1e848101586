package contest

import (
	"context"

	"redkeep/internal/stage/clock"
)

// Fault is what is done to the first host, which has the master.
type Fault struct {
	// Name is what a command line calls it, and About what is done.
	Name, About string
	// strike does it and returns the instant just before.
	strike func(context.Context, *Trial) (clock.Instant, error)
	// mend ends it, once writes go on; nil where the trial ends without.
	mend func(*Trial) error
	// silent says that the victim can't be asked for its role until it is mended.
	silent bool
}

// Faults are those that can be measured, in the order of the table.
var Faults = []Fault{
	{Name: "kill", About: "the master's Redis gets SIGKILL", strike: kill, silent: true},
	{Name: "power-off", About: "the master's host loses its power", strike: powerOff, silent: true},
	{Name: "cut", About: "the master's host is cut off both ways, and healed when writes go on", strike: cut, mend: heal, silent: true},
	{Name: "switchover", About: "a planned switchover at 1,000 writes/s", strike: switchover},
	{Name: "hang", About: "the master's Redis gets SIGSTOP, and SIGCONT when writes go on", strike: hang, mend: thaw, silent: true},
	{Name: "deaf", About: "the master's host hears nothing and is still heard, and healed when writes go on", strike: deafen, mend: heal, silent: true},
}

func kill(_ context.Context, t *Trial) (clock.Instant, error) { return t.site.Victim().Kill() }

func powerOff(_ context.Context, t *Trial) (clock.Instant, error) {
	at := clock.Now()
	return at, t.site.PowerOff(t.site.Victim().Host().Name())
}

func cut(_ context.Context, t *Trial) (clock.Instant, error) {
	at := clock.Now()
	return at, t.site.Cut(t.site.Victim().Host().Name())
}

func deafen(_ context.Context, t *Trial) (clock.Instant, error) {
	at := clock.Now()
	return at, t.site.CutInbound(t.site.Victim().Host().Name())
}

func heal(t *Trial) error { return t.site.Heal(t.site.Victim().Host().Name()) }

func switchover(ctx context.Context, t *Trial) (clock.Instant, error) {
	at := clock.Now()
	return at, t.keeper.Switchover(ctx)
}

func hang(_ context.Context, t *Trial) (clock.Instant, error) {
	at := clock.Now()
	return at, t.site.Victim().Process().Freeze()
}

func thaw(t *Trial) error { return t.site.Victim().Process().Thaw() }

// FaultNamed returns the fault of that name; false if there is none.
func FaultNamed(name string) (Fault, bool) {
	for _, f := range Faults {
		if f.Name == name {
			return f, true
		}
	}
	return Fault{}, false
}
