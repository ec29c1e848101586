// Package bench measures Redkeep, redis-sentinel and keepalived side by side: the same faults, the same machine, in turn.
//
// Each trial is a fresh stage with three hosts and real servers, one contender that looks after them, a client that
// writes each millisecond and notes what was acknowledged, and one fault. It asserts nothing and fails no build: it
// prints a table. It does not judge the lease (prove/lab does), and it tunes the others as well as their manuals allow.
//
// The command in cmd calls Run, once, from its main goroutine; trials come one after another, and each ends all that it
// started. What is measured, and which runs don't count, is the table "The numbers" of the project's first milestone.
package bench
