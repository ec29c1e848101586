// Package sim runs many groups of the core in one goroutine, on simulated clocks, networks, disks, kernels, servers and clients, and has the judge watch.
//
// A seed is a run: the same seed, plan and core give the same history, event for event. It interprets every action and makes
// every event as the agent's real hands do (the comments of decide's action.go, order.go and event.go are the contract), but
// it opens no socket, reads no clock and starts no goroutine. It decides nothing of the lease: the core does, and the rules
// that live in the hands or the kernel are honoured here, or broken where a plan switches them off. Tests and the sim command call Run, each
// from its own goroutine. The faults are those that the lease protocol's rules were found by.
package sim
