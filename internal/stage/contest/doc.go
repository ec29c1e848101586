// Package contest plays one fault on whatever keeps a master: Redkeep, redis-sentinel, keepalived, each set up as well as it can be.
//
// A trial is a fresh stage with three hosts and real servers, one contender that looks after them, a client that writes
// each millisecond and notes what was acknowledged, and one fault. It measures and does not judge, sums nothing up and
// prints nothing: the bench repeats trials, and the demo plays a few.
//
// Both call it from one goroutine; trials come one after another, and each ends all that it started.
//
// How the others are set up follows their manuals, redis.io's page on Sentinel and keepalived.conf(5), each at the
// shortest times that work.
package contest
