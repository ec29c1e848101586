// Package store keeps on disk what an agent must not forget: its store ID, its session, and one record for each group.
//
// It gives the records no meaning: they are opaque bytes. It decides nothing about a lost or unreadable record; it says
// which of the two it is, and the voter draws the consequence.
//
// The agent opens one store at its start, before any message leaves. Save blocks for an fdatasync, so a goroutine of
// the agent's own for each group calls it, never the loop; different groups do not wait for each other.
//
// The rules are those of the lease protocol: one-process (a lock on the directory), session-echo (the session is on
// disk before the first message), and that nothing is told which is not on disk. A file whose write failed takes no
// further record until the store is opened again.
package store
