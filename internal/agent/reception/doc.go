// Package reception carries the conversations of a Sentinel face over sockets: bytes in, bytes out, and who has to go.
//
// It understands no request and keeps no bytes: the face does the one and the sockets the other. It has two owners, `redkeep run`
// and `redkeep sentinel`, and works on the goroutine that runs the loop it is given.
//
// The rule is that a client may be idle or slow or hostile without anybody else noticing. The loop bounds what waits for one,
// and how long one that listens to nothing may be silent; it is told here how much that is. What it doesn't see is bounded here: for how
// long one that listens may be behind, and how much of requests all of one address may have begun and not ended.
package reception
