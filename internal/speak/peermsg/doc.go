// Package peermsg turns what agents tell each other into bytes and back: a decide.Message with the name of its group.
//
// It does not sign, number or send: sender, session and authentication travel beside the bytes (speak/seal, act/peer), and
// it judges no value beyond its bounds. The agent's loop calls Append, the hand that reads the network calls Parse; both
// are safe from any goroutine. The messages are those of decide/message.go, the rule that names their fields is that of
// the lease (ARCHITECTURE.md).
package peermsg
