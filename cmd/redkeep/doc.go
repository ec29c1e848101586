// Command redkeep is the one binary: arguments come in here, and exit codes go out.
//
// It decides nothing and holds no state: each file has one command, which reads its flags and calls a room below. The
// whole of it runs on the main goroutine; the agent that `redkeep run` starts owns its own. The exit codes are listed in
// exit.go and in `redkeep --help`; nothing else in the tree calls os.Exit.
package main
