// Package redis is the hand of one redis-server beside the agent: what it says, that it dies, and the orders it gets.
//
// It holds two lasting connections. The watch asks for INFO at its own pace and turns answers, error replies, silence
// and the connection's end into events. The orders connection is fenced when it opens, so that no order of an earlier
// connection can come after one of its own, and every order is verified on it. The hand has no policy: it doesn't judge
// a silence, doesn't retry an order, and gives none by itself.
//
// Over TLS all is as without: a connection begins when the kernel has it, its handshake is a first answer that is awaited,
// and who won't speak with whom is a complaint of the server's. Certificates are read again when their files change.
//
// The agent calls Run from a goroutine of its own, and the orders from any, one at a time. Run owns the watch, its
// reader, and the goroutine that keeps the orders connection open; all end with its context. Events come from the
// goroutine of Run, by a function that must not block for long.
//
// The rules are those of ARCHITECTURE.md (stand, take over, come back), and its named rules order-fence,
// same-process and born-fenced.
package redis
