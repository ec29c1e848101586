// Package sentinel is the second machine: one process in redis-sentinel's place, with all of its groups.
//
// It decides what a Sentinel decides: who is down, who leads, which replica is promoted, who follows whom; and it knows no
// lease, no gate and no address, since it speaks for hosts that it does not own. It does no I/O and reads no clock: Step
// takes what happened and returns what to do, in the order in which to do it; Wake says when time itself is the next event.
// The agent of `redkeep sentinel` calls it from its one goroutine, and so do the tests, in virtual time. The rules are
// those of Redis Sentinel 7.0, because members of both kinds vote in one quorum; where that one waits for its next tick,
// this one acts on the event.
package sentinel
