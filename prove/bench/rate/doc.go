// Command rate asks redkeep sentinel and redis-sentinel for a master's address as fast as redis-benchmark can.
//
// It measures what one process answers, by its rate and by the processor time that an answer costs; it asserts nothing, and
// watches nothing that fails.
//
// Whoever runs it should have the machine to themselves. redkeep sentinel answers a pipelined request in half of the time that
// redis-benchmark takes to ask it, so that with one thread, or on two cores, the client is what limits a rate, and the table says
// how much of a core it took. Two ways lead out of that: -threads where there are four cores and more, and -share, which leaves
// each contender the same part of one core, so that its rate is the one of that part.
//
// The rule is the scale of the milestone of redkeep sentinel: a rate not below redis-sentinel's unpipelined, one and a half times
// its own pipelined by 16, in the same run.
package main
