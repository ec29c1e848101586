// Package neighbours has the kernel ask again at once for the hardware address behind which a host is.
//
// A kernel that has asked for one in vain asks again after a second (retrans_time, in ARP and in neighbour discovery), and holds back
// meanwhile what is to be sent there. A question is lost easily where a link has just come up: a bridge's or a switch's port forwards only a
// moment after it has a carrier. The room does not know who is silent, and how often to ask is its caller's affair. It changes nothing but
// entries that wait for an answer: what the kernel knows, what an administrator put there, and what has failed (for which the next
// datagram asks anyway) stay.
//
// A Hand is opened in a thread of the right network namespace. Again waits for nothing and may be called from any goroutine; act/peer's Send
// does, by way of the agent. Run owns the goroutine that talks to the kernel; it ends with its context.
//
// The states are those of RFC 4861, section 7.3.2, which the kernel uses for ARP too; rtnetlink(7) has the messages.
package neighbours
