// Package rank compares servers: who would win an election now, and what keeps each of the others out.
//
// A server's standing is the newest epoch whose row its history contains, and how far it has come; bare offsets of
// different histories are never compared. A server that restarted and lost its history stands by what its agent
// recorded. The package knows no messages, votes or clocks. Group asks it before it stands, before it votes and for
// explain, from the loop's goroutine. Rules: lineage-row, cold-rank, rank-in-vote.
package rank
