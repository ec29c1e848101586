// Package group composes the rooms of decide into the machine of one group on one node.
//
// It is what the agent's loop and the simulator drive, from one goroutine: Step takes an event and returns the actions
// it leads to, Wake tells when the next Tick is wanted, Picture is what faces may know. It does no I/O and has no clock
// but the instants it is given. The rules come from its siblings (register, quorum, rank, takeover, detect, repair);
// here is only who hears what, and in which order.
package group
