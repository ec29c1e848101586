// Package api is the command line's channel to an agent: requests and replies as JSON, over whatever carries bytes.
//
// It opens no connection and checks no secret (act/peer does both), and it decides nothing: status and history are
// answered from the picture, all else is posted to the agent's loop and its answers are passed on. Handler.Ask runs on the
// goroutine of its caller, one for each connection; the client package is the other end, and uses the same types. The
// names in the JSON are Redkeep's own and stable: `redkeep status -o json` prints them, README lists them.
package api
