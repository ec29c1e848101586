// Package record turns a voter's register of one group into bytes for its store and back.
//
// It writes no file, adds no checksum and judges no value: act/store does the first two, the core the last. The agent's
// loop or the store's own goroutine calls it. The format is Redkeep's own: one JSON object, so that a person with an
// editor can see what a voter has promised.
package record
