// Command cmd runs prove/bench: Redkeep, redis-sentinel and keepalived, the same faults in turn, one table.
//
// It prints progress on stderr and the table, or JSON, on stdout; it judges nothing, so that its exit code is 0 however
// bad a number is, 1 if it could not measure, and 2 if it was called wrongly. `make bench` calls it. It must be root, or
// allowed to make user namespaces, in which it then runs.
package main
