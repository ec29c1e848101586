// Package seal makes and opens the authenticated datagrams and stream frames that agents exchange.
//
// It moves no bytes, reads no clock, draws no random number, and gives the payload no meaning: payloads are opaque.
// It does not encrypt, since nothing secret is ever sent; it proves who sent what, to whom, once, and in which life.
// Every node shares one secret, so a name proves "a holder of the secret that calls itself so", and nothing finer.
//
// act/peer calls it. A Link is guarded by act/peer's lock of that peer; a Writer or Reader of a stream belongs to one
// goroutine at a time. The simulator may drive Links without a network.
//
// The rules are session-echo and one-process of the lease protocol: a session number grows at each start, every
// datagram carries the receiver's session as last heard, and counters grow strictly within (session, receiver). Keys
// are derived for each direction with HKDF (RFC 5869), and tags are HMAC-SHA256 cut to 16 bytes (RFC 2104, section 5).
package seal
