// Package peer carries messages between agents, and commands to them: datagrams by UDP, requests by TCP, on one port.
//
// It gives payloads no meaning, keeps no clock for its callers, and repeats nothing but what was said before its peer was
// heard: who needs an answer asks again. It encrypts nothing; it proves who sent what (see speak/seal).
//
// Send may be called from any goroutine and never blocks, so the agent's loop calls it. OnDatagram runs on the one
// goroutine that reads the UDP socket: it must hand on and return. OnSilence runs on whichever sends. OnAsk runs on a goroutine of its connection. The
// command line calls Dial, as a name that is no node's.
//
// The rules are those of the lease protocol for authenticated, non-repeatable messages (session-echo, one-process).
package peer
