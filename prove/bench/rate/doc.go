// Command rate asks redkeep sentinel and redis-sentinel for a master's address as fast as redis-benchmark can.
//
// It measures what one process answers, by its rate and by the processor time that an answer costs; it asserts nothing, and
// watches nothing that fails. Whoever runs it should have the machine to themselves: with two cores redis-benchmark needs one, and where
// that is what limits a rate, the processor time still tells the two apart. The rule is the scale of the milestone of redkeep
// sentinel: a rate not below redis-sentinel's unpipelined, one and a half times its own pipelined by 16, in the same run.
package main
