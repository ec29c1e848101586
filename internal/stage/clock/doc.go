// Package clock reads the one clock that all hosts of a stage share, and records when this machine stalled.
//
// It does not measure the hosts' own programs and knows nothing of leases: it stamps what happens on the stage, and says
// which stretches of a run the machine itself spoiled.
//
// The stage, its writers, the lab and the demo call Now from any goroutine. A Watcher owns one goroutine, which its Stop ends; a Pacer belongs
// to the goroutine that waits with it.
//
// The hosts are namespaces on one kernel, so CLOCK_BOOTTIME is the same for all of them; it goes on while a virtual
// machine's host suspends it, as a lease does. The lab's bar (a run with a stall over 15 ms is left out) sets the tick.
package clock
