// Package need ends a test for which this machine lacks something: skipped for a developer, failed where every change is checked.
//
// It looks for nothing itself, and is no part of the product: tests say what they lack. A test that is skipped on the machine that
// checks every change is one that nobody misses, so .ci/run, which installs all that is needed, sets REDKEEP_CI. Tests call it from
// their own goroutine. What a kernel or a machine may well not have (IPv6, owned tables) is left to t.Skip, and each such line says so.
package need
