// Package judge holds the invariants of a group of servers: what a history of openings, acknowledgements and promotions must never show.
//
// It takes plain values in the order of time and returns findings; it knows neither machines nor kernels nor sockets, injects
// nothing and measures nothing. The simulator feeds one Court from its event loop while a run goes on; the lab feeds another from its
// merged logs afterwards. Both call it from one goroutine. The invariants are the promises of the lease: never two writable
// masters, no acknowledgement of an older epoch after one of a later, one holder per epoch, no replica wiped by an empty or
// foreign server, no replicated write lost by an election, none at all by a switchover, rest once the faults have ended.
package judge
