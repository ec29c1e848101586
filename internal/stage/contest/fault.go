package contest

import (
	"context"
	"errors"
	"fmt"
	"time"

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
	// pair says that it is for contenders that name it, which keep a pair.
	pair bool
	// back says that the first host is preferred, and has the master again in the end.
	back bool
	// asked says that a third host asks meanwhile who has the address.
	asked bool
	// hold is for how long it lasts at least.
	hold time.Duration
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
	{
		Name: "failback", About: "the preferred host comes back after a loss of power, copies, and is the master again",
		strike: comeBack, pair: true, back: true, asked: true,
	},
	{
		Name: "agent-kill", About: "what keeps the master on its host gets SIGKILL, and is started again after 3 s",
		strike: killAgent, mend: startAgent, pair: true, asked: true, hold: agentHold, silent: true,
	},
	{
		Name: "agent-freeze", About: "what keeps the master on its host gets SIGSTOP, and SIGCONT after 3 s",
		strike: freezeAgent, mend: thawAgent, pair: true, asked: true, hold: agentHold, silent: true,
	},
}

// agentHold is long beside any contender's failover, so that what lasts as long as the fault shows.
const agentHold = 3 * time.Second

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

// comeBack loses the first host's power, and returns the instant at which that is back.
func comeBack(ctx context.Context, t *Trial) (clock.Instant, error) {
	keeper, err := t.attendant()
	if err != nil {
		return 0, err
	}
	name := t.site.Victim().Host().Name()
	off := clock.Now()
	if err := t.site.PowerOff(name); err != nil {
		return 0, err
	}
	if !t.goesOn(ctx, off, 1, oneMaster) {
		return 0, errors.Join(ctx.Err(), fmt.Errorf("writes did not go on without %s", name))
	}
	at := clock.Now()
	if err := t.site.PowerOn(name); err != nil {
		return 0, err
	}
	if err := t.site.Victim().Start(ctx); err != nil {
		return 0, err
	}
	return at, keeper.startAgent()
}

func killAgent(_ context.Context, t *Trial) (clock.Instant, error) {
	keeper, err := t.attendant()
	if err != nil {
		return 0, err
	}
	return keeper.agent().Kill()
}

func startAgent(t *Trial) error {
	keeper, err := t.attendant()
	if err != nil {
		return err
	}
	return keeper.startAgent()
}

func freezeAgent(_ context.Context, t *Trial) (clock.Instant, error) {
	keeper, err := t.attendant()
	if err != nil {
		return 0, err
	}
	at := clock.Now()
	keeper.agent().FreezeGroup()
	return at, nil
}

func thawAgent(t *Trial) error {
	keeper, err := t.attendant()
	if err != nil {
		return err
	}
	keeper.agent().ThawGroup()
	return nil
}

// attendant is the keeper, if what is its on the first host can be struck.
func (t *Trial) attendant() (attendant, error) {
	keeper, ok := t.keeper.(attendant)
	if !ok {
		return nil, fmt.Errorf("%s has no program of its own on the master's host", t.Contender.Name)
	}
	return keeper, nil
}

// FaultNamed returns the fault of that name; false if there is none.
func FaultNamed(name string) (Fault, bool) {
	for _, f := range Faults {
		if f.Name == name {
			return f, true
		}
	}
	return Fault{}, false
}
