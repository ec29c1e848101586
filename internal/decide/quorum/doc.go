// Package quorum is the asking side of the lease: who makes a majority, what a hold is, and one attempt to be elected.
//
// A Hold adds up the grants for the beats of one epoch and says until when they let the holder write, and which slot
// stands for that; a Round adds up the answers to a pre-vote and a vote. It sends nothing and arms nothing: group does,
// from the loop's goroutine, and tells it when. The inequality that makes two holds of different epochs never overlap
// is in ARCHITECTURE.md; its terms are the send times kept here (rules arm-before-send, hold-from-send, majority).
package quorum
