// Package link follows network devices: whether they are there and up, and which addresses of their own this host has on them.
//
// It tells of a device when that changes: its number, whether it can carry anything, its first IPv4 address and its
// link-local IPv6 address, with which a router introduces itself. Virtual addresses are no such addresses, and their coming, going and
// renewing is no news. It changes nothing and decides nothing.
//
// A Hand is opened in a thread of the right network namespace. Run owns the goroutine that reads what the kernel tells, and
// calls OnChange from it; it ends with its context.
//
// The rules are rtnetlink(7)'s; that a source is the primary address and never a virtual one is VRRP's (RFC 5798, section 5.1).
package link
