// Package arch holds the tests of the tree itself: what may import what, what must stay pure, what must be said and how long it may be.
//
// It has no product code, and it judges no behaviour: that is what the other rooms of prove are for. `go test` calls it,
// on one goroutine; it reads the sources and asks the go command, and changes nothing. The rules are those of
// CONTRIBUTING.md; each check is first shown to convict a wrong example, since one that cannot fail proves nothing.
package arch
