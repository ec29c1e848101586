// Package sentinel is the process behind `redkeep sentinel`: it wires the second machine to its links, its clients, its file
// and its scripts.
//
// It decides nothing: what is down, who leads and what is said comes from decide/sentinel; and it touches nothing of the
// host but the file. Everything happens on the one goroutine that is in Run, which act/sockets drives; the file's writes,
// the scripts and the lookups of names run elsewhere and come back as events. The command line calls Run once in a process.
// What the machine asks for is carried out in the order in which it asks, as the rules of Sentinel want it.
package sentinel
