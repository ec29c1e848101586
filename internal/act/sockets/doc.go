// Package sockets keeps many TCP connections on one thread, and those of a file: it listens, dials, reads, writes, and ends what is too slow.
//
// It gives bytes no meaning and decides nothing: who may connect, what a request is and when to dial again are its owner's. It
// resolves no names, keeps no buffer for a connection that is idle, and no timer a connection.
//
// Everything happens on the goroutine that is in Run, all calls of a Handler and of Config's functions included; they must not
// block. Post and Tell may be called from any goroutine, everything else only from that one, or before Run from the one that calls it.
// Connections with TLS have two goroutines each, since crypto/tls blocks; they end with the connection, and Run waits for them. While they
// shake hands they take turns, so that whoever else is in the process is not kept waiting.
//
// The rule is that thousands of connections of which few have news at a time should cost what the news cost: one call to the
// kernel to learn of a batch, one read and one write for each connection in it, and no waking of a goroutine. The limits
// on what waits follow those of the servers that its owners stand in for.
package sockets
