// Package words holds the vocabulary that every floor shares: groups, nodes, epochs, instants, roles, positions, reasons.
//
// It has values, secrets among them, and no behaviour beyond comparing and printing them: no I/O, no clock, no policy. Every other room
// imports it, from any goroutine, since all of its types are plain values. The words are the field's own (Redis
// replication, Sentinel, VRRP); the few that are Redkeep's are explained in ARCHITECTURE.md.
package words
