// Package hello reads and prints the greeting with which Sentinels find each other and tell who is master.
//
// It has no opinion on what is greeted: whether the sender or the group is known, which epoch counts. It knows no
// connection. The agent of `redkeep sentinel` calls it for each message of the channel __sentinel__:hello, from its one
// goroutine. The form is that of Sentinel since Redis 2.8: eight fields between commas, and no way to have a comma in one.
package hello
