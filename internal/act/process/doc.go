// Package process watches the process of a redis-server beside the agent: that it ends, and what it does meanwhile.
//
// It proves first that a process id which a server claims is that server's, and holds a pidfd of it from then on. It
// sends no signal, starts nothing, and does not judge whether a silent server is dead: it says stopped, running or gone,
// and how much CPU time was used.
//
// The hand of the server (act/redis) gets it from the agent as a function; Sample is for one goroutine at a time,
// Exited for any. Each Process owns one goroutine, which Close or the process's end ends.
//
// The rules are those of pidfd_open(2) and proc_pid_stat(5). Another process may get a number again, so nothing
// read by number is believed unless the pidfd says afterwards that its process still lives.
package process
