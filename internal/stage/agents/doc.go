// Package agents runs Redkeep's agents on the hosts of a stage, as a user has them, and asks them what they see.
//
// It knows the command line and the port for commands, and nothing of what agents decide; configurations are their
// caller's. The demo and the contest call it, from any goroutine; what it starts ends with the host or the stage.
//
// The arguments are those of dist/redkeep.service, with a state directory for each host.
package agents
