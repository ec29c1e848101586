// Package keepalived is the process behind `redkeep keepalived`: it wires the virtual routers of a keepalived.conf to their
// segments, their addresses, their checks and their scripts.
//
// It decides nothing about who is master: decide/vrrp does; and it knows no server and moves no data, since a keepalived.conf
// has those in its scripts. One goroutine owns the machine and the checks' results; the addresses of an instance have a queue of
// their own, the scripts of an instance or a group run one at a time on another, each check on a third, and whoever asks for the
// status is answered on a fourth; all end with the context of Run, or with what a reload has taken away. The command line calls
// Run once in a process, and Ask from another.
//
// What scripts and pipes are told is keepalived's (its manual, and its 2.2.7 as the lab finds it); that scripts never overlap, that a newer
// state ends the older one's, and that a check which can't be run has failed, is not.
package keepalived
