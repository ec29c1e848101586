// Package fleet plays thousands of Redis servers, and the two other Sentinels that watch them, in one cheap process.
//
// A server here knows no more than a Sentinel asks of one: it answers PING and INFO, relays greetings, and changes its role when it is
// told to. It keeps no data and checks no password. The voters greet, say that a master is down when it is, and give their votes to
// whoever asks first; they lead no failover of their own, so that the one who is measured does all the work.
//
// The command in ../cmd runs it as a process of its own, on the one goroutine that is in Run; ../ gives it orders by its
// standard input. What the servers say has the shape and the size of what Redis 7.0 says, since both contenders read the same.
package fleet
