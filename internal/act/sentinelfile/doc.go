// Package sentinelfile is the file in which a Sentinel is configured and keeps its state: reads it, and replaces it whole.
//
// It gives the text no meaning: what is in it is speak/sentinelconf's, and what has changed is a function that Save gets, which is
// given the text that is in the file by then, since people edit it while a Sentinel runs. It does not look whether a file that it
// replaces was a link: as with redis-sentinel the link is gone afterwards and what it led to is as it was.
//
// The command line reads before anything runs, from its one goroutine. The loop of agent/sentinel calls Save, which does not wait: one
// goroutine of the File's own writes, and ends when nothing is left to write. Close waits for that, as long as it may. Before the first save it sweeps
// what a killed process left, and claims the file.
//
// The rules are redis-sentinel 7.0's, tried on the real one (a draft beside the file, its sync, mode 0644 without the umask's bits, a
// rename, the directory's sync), and two of its own: of saves that wait only the last is written, and all are told of it; and a lock shows
// that a second process has the same file.
package sentinelfile
