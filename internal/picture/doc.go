// Package picture is the read model: an immutable value of what one node sees of its groups.
//
// The machines of decide make a Group each, the agent's loop adds what only it knows and publishes a Node once per turn;
// faces read it from any goroutine and never change it. It holds values and no behaviour beyond questions that are
// answered from the value itself. Nothing is decided from a picture: it is for people and for clients.
package picture
