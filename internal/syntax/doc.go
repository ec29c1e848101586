// Package syntax has the two small syntaxes that all of Redis shares: a line of words, which may be quoted, and a pattern of names.
// Redis 7.0's own, byte for byte.
package syntax
