// Package client is the other end of show/api: what the command line uses to talk to an agent.
//
// It opens no connection and knows no secret: it is built over an Asker, which act/peer's Conn is. It retries nothing and
// prints nothing. Commands call it from their own goroutine, one request at a time. The requests and faults are those of
// show/api.
package client
