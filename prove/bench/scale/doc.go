// Package scale measures one Sentinel that watches a thousand groups: Redkeep's and redis-sentinel, in turn, on the same simulated servers.
//
// It asserts nothing and fails no build: it prints a table. What a Sentinel decides is not its business (prove/lab's), and neither
// are the servers, which are fleet's.
//
// The command in cmd calls Run, once, from its main goroutine, in a network of its own. Trials come one after another, and each ends all
// that it started. What is measured is what the project's milestone on Sentinel asks for: processor and memory while nothing
// happens, the rate of the question that clients ask most, and how long it takes to replace the masters of a lost host.
//
// redkeep sentinel answers a pipelined request in half of the time that redis-benchmark takes to ask it, so that on few cores the client is
// what limits a rate. The processor time of an answer tells two programs apart nevertheless, as does a share of one core for each.
package scale
