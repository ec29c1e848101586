package agent

import (
	"redkeep/internal/decide"
	"redkeep/internal/words"
)

// letter is an event for one group's machine.
type letter struct {
	group words.Group
	event decide.Event
}

// mailboxSize bounds what waits for the loop. The machines bound what hands have under way; what strangers and other
// nodes send is dropped when it is full, as the network might have.
const mailboxSize = 4096

// post gives the loop an event that must not be lost: it waits for room, or for the loop's end.
func (a *Agent) post(g words.Group, ev decide.Event) {
	select {
	case a.mail <- letter{group: g, event: ev}:
	case <-a.ended:
	}
}

// offer gives the loop an event that may be lost.
func (a *Agent) offer(g words.Group, ev decide.Event) {
	select {
	case a.mail <- letter{group: g, event: ev}:
	default:
		a.dropped.Add(1)
	}
}

// later gives the loop an event from the loop itself, which can't wait for room in its own mailbox. A machine has a few under
// way at most.
func (a *Agent) later(g words.Group, ev decide.Event) {
	a.backlog = append(a.backlog, letter{group: g, event: ev})
}
