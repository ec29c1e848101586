// Package cell puts a test's own thread into network namespaces that end with the test.
//
// It knows no host and no server, and makes no cable: what is in a namespace is its test's. Where something is to run beside the test, or to
// outlive a call, the threads of stage/namespace are what is wanted; a hand that is tested opens its sockets on the thread that calls it.
//
// Tests of hands and of what wires them call it, from their own goroutine alone, which it locks to its thread until the test ends.
//
// The rule is namespaces(7)'s, that a namespace is a thread's and a socket stays where it was opened, and Go's: a thread that can't return
// must not be lent to other goroutines.
package cell
