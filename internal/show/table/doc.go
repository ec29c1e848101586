// Package table prints a picture for people: plain lines and aligned columns, for `redkeep status` and `redkeep explain`.
//
// It asks no agent, judges nothing and knows no terminal: colours come only where its caller wants them. Commands call it
// from their own goroutine. The words are those of the picture and of speak/explain; programs read the JSON of show/api
// instead, so that these lines may become better at any time.
package table
