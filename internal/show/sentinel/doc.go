// Package sentinel is the face on port 26379: it answers clients as redis-sentinel does, from the picture.
//
// It decides nothing, posts nothing and talks to no redis-sentinel: commands that would change something are unknown to it.
// Serve owns the listener, and two goroutines for each connection; Announce is called by the agent's loop, once per switch,
// and never blocks. The shapes of the replies are those of Redis Sentinel 7.0; what they say is Redkeep's view: a master is
// only told once it has been opened for writing, and while there is none, the last one is, as Sentinel does.
package sentinel
