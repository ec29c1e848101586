// Package sentinelconf reads sentinel.conf as redis-sentinel 7.0 does, and prints what it read byte for byte.
//
// It opens no file, follows no include, looks up no name and asks for no script's permission: what needs a host is left to the
// caller, and so is what to do about a directive that Redis 7.0 does not know, which a later one may. It judges nothing that
// redis-sentinel would take. `redkeep import` calls Parse from the command's goroutine; a File is not changed afterwards. The
// rules are those of Redis' own reader, whose corners were tried on redis-sentinel 7.0.15.
package sentinelconf
