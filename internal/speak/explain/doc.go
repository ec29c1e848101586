// Package explain turns a reason into one sentence for people, with its numbers and with what they can do.
//
// It decides nothing and adds no fact: all it knows is the words.Reason. Faces and the log call it, from any goroutine.
// The sentences are Redkeep's own; the codes are those of words/codes.go, and a test compares the two.
package explain
