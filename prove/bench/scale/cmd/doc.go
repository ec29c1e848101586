// Command cmd runs prove/bench/scale: one Sentinel over a thousand groups, Redkeep's and redis-sentinel in turn, one table.
//
// It runs itself again in a network namespace of its own, where there is nothing but a loopback, and with -play as the servers. It prints
// progress on stderr and the table, or JSON, on stdout; it judges nothing, so that its exit code is 0 however bad a number is, 1 if it
// could not measure, and 2 if it was called wrongly. `make bench-scale` calls it, and it must be root.
package main
