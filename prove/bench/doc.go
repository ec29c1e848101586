// Package bench measures Redkeep, redis-sentinel and keepalived side by side: the same faults, the same machine, in turn.
//
// A trial is stage/contest's; this room repeats them in rounds, leaves out those that the machine spoiled, and sums up. It
// asserts nothing and fails no build: it prints a table. It does not judge the lease (prove/lab does).
//
// The command in cmd calls Run, once, from its main goroutine; trials come one after another, and each ends all that it
// started. What is measured, and which runs don't count, is the table "The numbers" of the project's first milestone.
package bench
