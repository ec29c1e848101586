// Package script runs a Sentinel's scripts as processes: starts them, kills them when told to, and tells how they ended.
//
// It has no queue and no limit of its own, tries nothing again, and does not know what a script is for: decide/script says which job
// runs when. A script runs without a shell, with this process's environment, working directory and standard streams, and with no
// other descriptor. It belongs to nobody but the kernel: the end of this process leaves it running, as redis-sentinel's does.
//
// The loop of agent/sentinel calls Start and Kill, which don't wait. What happened is told by a function that gets called from a goroutine
// of the job's own; that goroutine ends with the job's process, and there are as many as decide/script lets run at once.
//
// The rules are redis-sentinel 7.0's, where a file that the kernel won't execute counts as a process that exited with 2.
package script
