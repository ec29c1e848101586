// Package replies holds what redkeep sentinel answers against what redis-sentinel 7.0.15 answers, request by request.
//
// It has tests only: each starts both programs with equal files on the loopback, asks them the same, and compares the replies with
// what differs from process to process taken out. How they behave in a quorum is prove/lab's, and what redkeep run answers is
// internal/show/sentinel's own test, which has the same questions. The rule is that a client can't tell which of the two it talks to;
// each exception is in the table intended, with its reason.
package replies
