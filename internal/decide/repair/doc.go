// Package repair says what a node that is not the holder does with its own server and gate.
//
// It compares what the server is with what the group knows, and plans one next thing: shut the gate in front of a server
// whose role is not confirmed, have it follow the holder, open it for readers once that is verified, or leave it alone
// and say why. It is a pure function of its view; group carries the plan out, from the loop's goroutine, and asks again
// after every event. Rules: born-fenced, reads-expire, come back.
package repair
