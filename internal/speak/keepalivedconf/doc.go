// Package keepalivedconf reads keepalived.conf as keepalived 2.2 does, and says in one line each what is wrong with it and what to do.
//
// Parse makes a tree of every word with its place, that prints back byte for byte, and of it a Config with what a VRRP router
// needs. It differs from keepalived where that drops what it was given without a word, or goes on without a check: here that
// is a Problem, with a Repair where it is plain. Config.On asks a Host for what only the host knows, and Compare holds the files of several hosts against
// each other. The package opens no file and runs nothing: included files come through a callback. `redkeep keepalived` and
// `redkeep import` call it from the command's goroutine, and whoever runs the instances reads the Config from its own; no value
// is changed after it was returned. The rules are those of keepalived's own reader, whose corners were tried on version 2.2.7,
// to which a test holds them.
package keepalivedconf
