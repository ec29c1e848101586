// Package acl holds Redis' access rules: who a connection may be, and what that user may run, hear and touch.
//
// It knows no command of its own (the caller's Table has them), keeps no connection, opens no file, makes no random bytes and has no
// clock: all of that is handed in, and a change comes back as an Effect, which says whose connections the caller has to close.
// Everything here is called from the one goroutine that answers requests; a *User is what a connection holds on to, and
// follows every later change of that user. The rules, their printed form and all texts are those of Redis 7.0, tried on
// redis-sentinel 7.0.15, against which the tests hold them byte for byte.
package acl
