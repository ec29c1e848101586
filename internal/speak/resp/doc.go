// Package resp turns RESP, the protocol of Redis, into values and back, for both sides of a connection.
//
// It reads replies (RESP2 and RESP3, pushes included) and requests (inline commands included), and appends either
// to a byte slice. It opens nothing, waits for nothing but its io.Reader, knows no command, and does not judge an
// error reply: that is a value like any other.
//
// Hands (act/redis) read replies with it, faces (show/sentinel) parse requests; a Reader belongs to the one goroutine
// that reads its connection, and the Append functions may be called from any.
//
// The rule is the protocol's own page, "RESP protocol spec", and Redis 7.0's networking.c where that page is silent
// (empty requests, quotes of inline commands, nil lengths). Every length that a peer announces is bounded before any
// memory is taken for it.
package resp
