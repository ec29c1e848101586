// Package cable is the switch between hosts: a bridge in a namespace of its own, one cable per host, and what is wrong
// with each cable.
//
// It does not know what a host is beyond a namespace to plug a cable into, and it never touches a host's own packet
// filter: a host that flushes its ruleset does not mend its cable. There is no delay, since not every kernel has netem.
//
// The stage calls it, from any goroutine; calls are taken one after another.
//
// Faults are rules in the bridge family's forward hook: every frame between two ports passes there, ARP too, so a fault
// holds for connections that are open already, from the frame after the transaction.
package cable
