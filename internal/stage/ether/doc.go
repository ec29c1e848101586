// Package ether reads and writes the frames by which hosts claim an address: ARP, neighbour discovery, a TCP handshake.
//
// It is pure, and it is not the agent's codec: what looks at the agent from outside must not repeat its mistakes. It
// knows only what a stage needs, on plain Ethernet without tags, and reads no more of a frame than that.
//
// The stage and its observer call it, from any goroutine.
//
// The formats are RFC 826 (ARP), RFC 5227 (announcements), RFC 4861 (neighbour discovery), RFC 9293 (TCP).
package ether
