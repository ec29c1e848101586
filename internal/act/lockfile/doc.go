// Package lockfile is files that one process has at a time, with its number in them.
//
// It does not say what such a file stands for, makes no directory, and waits for nobody: who has it is an error with that process's
// number, and what a person is to do about it is the caller's to say.
//
// Whoever opens a store calls it, and the loop of agent/keepalived, at its start and in a reload. Nothing waits on a lock, so that
// any goroutine may; a Lock is one goroutine's.
//
// The rule is flock(2)'s: the kernel takes a lock back when its process ends, however it ends. So a file that was left behind means
// nothing, and nobody has to be told that a killed process is dead.
package lockfile
