// Package config turns redkeep.yaml into one checked value, and says what is wrong with the file, where, and what to do.
//
// It opens no file and asks the host for nothing: the caller passes the text, the file's mode, a function that reads the
// secrets' files, and the host's addresses. It does not decide anything with what it read. The commands and the agent call
// Parse once at their start, from whichever goroutine they are on; a Config is not changed afterwards. The format is
// Redkeep's own (README, "Configuration"); the rules on the number of voters are those of the lease (ARCHITECTURE.md).
package config
