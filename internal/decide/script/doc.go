// Package script decides which of a Sentinel's scripts runs when: one queue, sixteen at once, another try after a failure.
//
// It starts no process and reads no clock: it is told the time, what started and how it ended, and returns what to start, what to kill
// and what to tell. It does not know what a script is for: whether an event has one, and its arguments, is the Sentinel's matter.
//
// The loop of agent/sentinel calls it, from its one goroutine, and hands what it returns to act/script.
//
// The rules are redis-sentinel 7.0's (sentinelRunPendingScripts and what belongs to it), tried on the real one: FIFO, begun from the
// timer only; exit 1 or a signal is worth another run, ten at most, after a pause that doubles; any other code but 0 is final.
package script
