// Package decide holds the two closed sets that the core speaks in: the events that it can notice and the actions that it can take.
//
// To read event.go, message.go, action.go and order.go is to read all that Redkeep can notice and do. The package
// decides nothing itself: its rooms do (register, quorum, rank, takeover, detect, repair, composed by group), and they
// do no I/O, start no goroutine and read no clock. The agent's loop and the simulator drive the same machines with
// these values, from one goroutine. The rules are those of the lease protocol; rule.go names them.
package decide
