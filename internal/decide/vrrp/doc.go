// Package vrrp is the third machine: the virtual routers of one host, as VRRP elects them, each with its role and its address.
//
// It decides who is master of a virtual router on its segment, and in which order a host rises to that and falls from it:
// asked, probed, claimed by an advertisement that was really sent, promoted, addressed, announced; and down: demoted, the
// address away, and only then the advertisement that invites a successor. It moves groups of routers together, takes the
// results of checks into the priority, and holds back while a router that it can't understand is alive. It knows no lease
// of a majority, no data and no server: where these have a say, it asks. It does no I/O and reads no clock: Step takes what
// happened and returns what to do, in the order in which to do it; Wake says when time itself is the next event.
//
// The agent of `redkeep keepalived` and that of a pair call it, each from its one goroutine, and so do the tests, in
// virtual time.
//
// The rules are RFC 5798, section 6.4, and RFC 3768 for version 2; where keepalived is stricter or kinder (what it drops,
// preempt_delay, weights, sync groups) those of keepalived 2.2.7, since members of both kinds elect one master. Four rules
// are its own, because VRRP fails open: an advertisement that can't be accepted is somebody alive; the address stands only as long
// as advertisements really left; a turn that comes too late counts as the end of both; and the address is away before a
// successor is invited.
package vrrp
