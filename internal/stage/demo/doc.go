// Package demo is `redkeep demo`: three hosts, a client that writes, faults, and what came of them as it happens.
//
// It shows and proves nothing: prove/lab judges. What it prints are the agents' own log lines and the client's own
// acknowledgements, on one clock; it adds no interpretation but labels. The command calls Run from the main goroutine,
// inside of a place where namespaces may be made (stage.Enter). Run owns the stage and ends everything that it started.
//
// The story is that of the README: a dead process, a lost host, its return, and a planned move.
package demo
