// Package register is one voter: the votes that it gave, the grant that it gave last, and what a restart may not do.
//
// It answers beats, pre-votes, votes and releases by the rules of the lease, and changes nothing but its own value: the
// caller persists what has to be on disk before an answer leaves. It does not know servers; whether a candidate's data
// are good enough is rank's question, asked by group before a vote is. It is called by group alone, from the loop's
// goroutine. The rules are those of ARCHITECTURE.md's safety argument, under the names of decide/rule.go.
package register
