// Package pair decides for one group on one of two nodes that have no third: the segment between them votes in its place.
//
// It is decide/group with a voter that no host runs. The segment grants the lease to a node whose advertisements really leave, and
// votes for one that has heard none of another router for as long as VRRP waits: each node asks the segment as it looks from there,
// and so in a partition both may be told yes. That is what two nodes can't have otherwise; everything else, from the gate to the order
// of a takeover and to what becomes of data that only one has, is decide/group's, which it does not know to be different. It
// speaks no VRRP: the agent turns advertisements into events, and calls it from its loop in group's place. The rules are RFC
// 5798's (§6.1: Master_Down_Interval, §6.4) as far as they say who may be master, and decide/group's for all that follows.
package pair
