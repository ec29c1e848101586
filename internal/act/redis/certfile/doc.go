// Package certfile keeps certificates and keys as their files have them, and reads them again when these have changed.
//
// It makes no connection and proves nothing of what it read: that is for who asked. A file that has become of no use is told of, and
// what was good before it stays. The hand of a server asks for its connections to that, and the agent for those of its Sentinel clients,
// each from any goroutine. As for servers, what counts of a replacement is the file's inode, size and time.
package certfile
