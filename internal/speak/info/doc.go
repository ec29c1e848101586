// Package info turns what a redis-server says of itself, INFO and ROLE, into words.Server.
//
// It takes text that has arrived and asks for nothing; it does not judge whether the server is fit, and it knows
// neither the connection nor the instant of the answer. Text of any version is read: what is missing is left as it was,
// what is unknown is skipped.
//
// The hand of a server (act/redis) calls it for each answer, faces and tests as they like, from any goroutine.
//
// The rule is Redis's genRedisInfoString and roleCommand from 2.8 to 8, and Valkey's; the sections are "replication",
// "server", "persistence" and "keyspace", which may come together or apart.
package info
