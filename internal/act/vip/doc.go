// Package vip moves a group's virtual addresses, one IPv4 and one IPv6 at most: rtnetlink, ARP and neighbour discovery.
//
// An address is put on its device as a /32 or /128, or as its Form says, with a life of whole seconds, which the kernel ends if nobody renews
// it, whatever has become of the agent. It is announced when it comes, now and then while it stays, and whenever a cable
// comes back or somebody else claims it. What other programs do to it is undone, and told with their names. It does not
// decide who has the address nor for how long, shuts no port (act/gate does), ends no connection (act/flows does), and
// leaves the addresses as they are when it closes.
//
// A Hand is opened in a thread of the right network namespace, and its methods may then be called from any goroutine; they
// wait for one another. Set takes some tens of microseconds, or some hundred where an IPv6 address comes (5 ms at most), but waits for as long as another program holds the kernel's
// routing lock; Probe takes up to 5 ms. So the agent's loop calls them through its queues. Run owns the
// goroutines: one reads what the kernel tells of addresses and devices, one for each family what the segment says, and one
// mends and announces. OnEvent is called from the last.
//
// The rules are those of taking over and letting go, and RFC 5227 and RFC 4861 for what is said to the segment. That the
// kernel keeps whole seconds, forgets the requester of changes to IPv6 addresses, and which announcement caches believe,
// was measured on Linux 6.18.
package vip
