package group

import (
	"testing"

	"redkeep/internal/decide"
	"redkeep/internal/words"
)

// replicaAt is a replica's claim as it is told while all is well.
func replicaAt(offset words.Offset) decide.Claim {
	return decide.Claim{Fit: true, Server: words.Server{
		RunID: "run", Role: words.RoleReplica, Position: words.Position{ReplID: "hist", Offset: offset, Second: -1}, Master: "10.0.0.1", MasterPort: 6379, LinkUp: true,
	}}
}

// TestCopyOfTheSameHistoryIsStamped: a process whose master's backlog was exceeded is copied anew within its own history. That its
// offset is far beyond where it was before the copy does not say that the link brings anything.
func TestCopyOfTheSameHistoryIsStamped(t *testing.T) {
	p := &peer{}
	hear := func(c decide.Claim, want words.Offset) {
		t.Helper()
		p.stampCopy(&c)
		p.status.Claim = &c
		if p.copied != want {
			t.Fatalf("at %d, syncing %v: copied is %d, want %d", c.Server.Offset, c.Server.Syncing, p.copied, want)
		}
	}
	copying := replicaAt(2000)
	copying.Server.Syncing, copying.Server.LinkUp, copying.Fit = true, false, false
	hear(replicaAt(1000), 1000)
	hear(replicaAt(2000), 1000) // it moves
	hear(copying, 2000)
	hear(replicaAt(9000), 9000) // the end of the copy
	hear(replicaAt(9000), 9000)
	hear(replicaAt(9100), 9000) // it moves again
}
