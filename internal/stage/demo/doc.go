// Package demo is `redkeep demo`: three hosts, a client that writes, faults, and what came of them as it happens.
//
// It shows and proves nothing: prove/lab judges. What it prints are the agents' and servers' own log lines, the client's
// own acknowledgements and what a third host saw on the cable, on one clock; it adds no interpretation but labels.
//
// The command calls Run from the main goroutine, inside of a place where namespaces may be made (stage.Enter). Run owns
// the stage and ends everything that it started. With Keep a desk takes commands of the same user over a unix socket,
// one goroutine for each guest, four at most; Run's own goroutine carries them out, one after another.
//
// The story is that of the README: a dead process, a lost host, its return, and a planned move.
package demo
