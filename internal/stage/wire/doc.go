// Package wire is one client connection to a Redis or a Sentinel face: a request, its answer, a deadline.
//
// It neither reconnects nor retries nor pipelines, and it knows no command: a client that did would hide what the stage
// is there to see.
//
// The stage and its writers use it. A Conn belongs to one goroutine; Close may be called from any, and ends a Do.
//
// The protocol is speak/resp's.
package wire
