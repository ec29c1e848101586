// Package keepalived is the process behind `redkeep keepalived`: it wires the virtual routers of a keepalived.conf to their
// segments, their addresses, their checks and their scripts.
//
// It decides nothing about who is master: decide/vrrp does; and it knows no server and moves no data, since a keepalived.conf
// has those in its scripts. One goroutine owns the machine and the checks' results; each address has a queue of its own, each
// instance's scripts run one at a time on another, each check on a third; all end with the context of Run. The command line
// calls Run once in a process. What scripts are told is keepalived's; that they never overlap, and that a check which can't be run has
// failed, is not.
package keepalived
