// Package sentinel is the face on port 26379: it answers clients as redis-sentinel 7.0 does, out of a source behind it.
//
// A Client is a conversation without I/O: a transport gives it the bytes that came, and gets the bytes to be sent. The face opens
// nothing, decides nothing and keeps no group's settings; what there is to tell, and whatever is to be done, is its Source's. One
// source is here: Lease tells of the agent's picture in Sentinel's words, asks for one thing only, the switchover of SENTINEL
// FAILOVER, and refuses what would change settings with what to do instead. The other is `redkeep sentinel`'s own machine.
//
// Everything of a Face, its clients and its source happens on one goroutine, the transport's; there are no locks but that of
// Lease.Announce, which the agent's loop calls, once per switch, and which never waits.
//
// Commands, arities, shapes, the order of fields and the texts of errors, which client libraries compare, are those of Redis
// Sentinel 7.0.15, and a test holds each against it. With a lease what they say is Redkeep's view: a master is only told once it
// has been opened for writing, and while there is none, the last one is, as Sentinel does.
package sentinel
