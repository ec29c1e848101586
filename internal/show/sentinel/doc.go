// Package sentinel is the face on port 26379: it answers clients as redis-sentinel 7.0 does, from the picture.
//
// It decides nothing, keeps no settings, gives no vote away and talks to no redis-sentinel. It asks for one thing only, the
// switchover of SENTINEL FAILOVER, and that through Config; commands that would change settings are checked as Sentinel checks
// them and refused with what to do instead. Serve owns the listener, two goroutines for each connection and the publisher;
// Announce is called by the agent's loop, once per switch, and never blocks. Commands, arities, shapes, the order of fields and
// the texts of errors, which client libraries compare, are those of Redis Sentinel 7.0.15, and a test holds each against it;
// what they say is Redkeep's view: a master is only told once it has been opened for writing, and while there is none, the
// last one is, as Sentinel does.
package sentinel
