package takeover

import "redkeep/internal/decide"

// Step is one step of a walk.
type Step uint8

// The steps, in the order in which they are usually taken.
const (
	// PointGate points the gate at the slot that was armed before the vote was asked for. An opening for readers, which has
	// no deadline, ends in the same transaction: a reader's connection must not outlive it into a promotion.
	PointGate Step = iota
	// Promote makes the server the master and verifies that it takes writes.
	Promote
	// TakeVIP asks for the virtual address, and does not wait for it.
	TakeVIP
	// OpenRow writes the row of this epoch, tells everybody, and announces.
	OpenRow

	// Prepare asks the target whether it could win.
	Prepare
	// Pause holds writes back.
	Pause
	// Level waits for the target to have what was written before the pause.
	Level
	// CloseClients shuts the gate to all but the group's replication.
	CloseClients
	// Reread reads the offset again: a pause can end, a gate that is shut can't be talked through.
	Reread
	// LevelAgain waits for the target to have that.
	LevelAgain
	// KillClients ends the clients' connections in the server.
	KillClients

	// Shut shuts the gate, and waits for the kernel to say so.
	Shut
	// ResetSockets resets the connections of clients.
	ResetSockets
	// DropVIP takes the virtual address away, and waits for that only where no gate covers it.
	DropVIP
	// Release ends the epoch for everybody.
	Release

	// End follows the last step.
	End
)

// Walk is a way through steps.
type Walk struct {
	steps []Step
	next  int
}

// Up is the way from elected to announced.
func Up(off decide.Rules) *Walk {
	if off.Off(decide.ReadsOffFirst) {
		return &Walk{steps: []Step{Promote, PointGate, TakeVIP, OpenRow}}
	}
	return &Walk{steps: []Step{PointGate, Promote, TakeVIP, OpenRow}}
}

// Over is the way of a planned switchover, up to where Down takes over. Before Release, any failure means "as it was".
func Over(off decide.Rules) *Walk {
	if off.Off(decide.LevelAfterClose) {
		return &Walk{steps: []Step{Prepare, Pause, Level, CloseClients, KillClients}}
	}
	return &Walk{steps: []Step{Prepare, Pause, Level, CloseClients, Reread, LevelAgain, KillClients}}
}

// Down is the way of letting go.
func Down(off decide.Rules) *Walk {
	if off.Off(decide.CloseBeforeRel) {
		return &Walk{steps: []Step{Release, Shut, ResetSockets, DropVIP}}
	}
	return &Walk{steps: []Step{Shut, ResetSockets, DropVIP, Release}}
}

// Now returns the step that is being taken.
func (w *Walk) Now() Step {
	if w.next >= len(w.steps) {
		return End
	}
	return w.steps[w.next]
}

// Done goes on to the step after this one, and returns it.
func (w *Walk) Done() Step {
	w.next++
	return w.Now()
}

// Past reports whether the step has been confirmed.
func (w *Walk) Past(s Step) bool {
	for i, t := range w.steps {
		if t == s {
			return w.next > i
		}
	}
	return false
}
