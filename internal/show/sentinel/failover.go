package sentinel

import (
	"errors"

	"redkeep/internal/picture"
	"redkeep/internal/words"
)

// Refused is the error of Config.Failover for a switchover that the master's agent refuses or has called off.
type Refused struct{ Text string }

// Error returns the agent's words.
func (r *Refused) Error() string { return r.Text }

// inProgress is what clients compare with.
const inProgress = "INPROG Failover already in progress"

// failover switches a group over to its best replica. Sentinel does without the others' consent then; a lease can't.
func (c *client) failover(args []string, r *reply) {
	g, ok := c.face.config.Picture().Group(words.Group(args[0]))
	switch {
	case !ok:
		r.error(noSuchMaster)
	case !g.Writable:
		// The agents are electing a master already, or say in their status why they can't.
		r.error(inProgress)
	case !hasTarget(g):
		r.error("NOGOODSLAVE No suitable replica to promote")
	case c.face.config.Failover == nil:
		r.error("ERR this port only tells; run: redkeep switchover " + short(args[0]))
	default:
		c.face.switchOver(g.Name, r)
	}
}

// hasTarget reports whether a replica could take over.
func hasTarget(g picture.Group) bool {
	for _, c := range g.Candidates {
		if c.Place > 0 {
			return true
		}
	}
	return false
}

// switchOver has the agent do it, one request a group at a time.
func (f *Face) switchOver(g words.Group, r *reply) {
	if !f.begin(g) {
		r.error(inProgress)
		return
	}
	defer f.finish(g)
	err := f.config.Failover(g)
	var refused *Refused
	switch {
	case err == nil:
		r.ok()
	case errors.As(err, &refused):
		r.error("NOGOODSLAVE " + refused.Text)
	default:
		r.error("ERR " + err.Error())
	}
}

// begin reports whether no other client of this face has asked for the same and waits.
func (f *Face) begin(g words.Group) bool {
	f.known.Lock()
	defer f.known.Unlock()
	if _, busy := f.switching[g]; busy {
		return false
	}
	f.switching[g] = struct{}{}
	return true
}

func (f *Face) finish(g words.Group) {
	f.known.Lock()
	defer f.known.Unlock()
	delete(f.switching, g)
}
