// Package agent wires one node: it starts the hands and the faces, and runs the loop that owns all machines.
//
// One goroutine, the loop, steps the machines and publishes the picture; it never waits for a hand. Each hand has its own
// queue and goroutine, and answers with events through the mailbox. The agent decides nothing: what it does beside the
// machines is to read clocks, to notice that it was not run (frozen, starved, suspended), and to start and to end. It is
// called by the command run, and by tests that want a whole node in a process of theirs.
package agent
