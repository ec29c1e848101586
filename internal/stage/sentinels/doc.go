// Package sentinels runs Sentinels on the hosts of a stage, each by a program of one's choice, and writes down what they say.
//
// It decides and judges nothing: it writes the first configuration, starts and breaks processes, asks questions, and keeps
// every event with the instant of its arrival. It knows redis-sentinel's command line and protocol, and of Redkeep's
// `redkeep sentinel` only that it is called with the same file: whatever holds for one must hold for the other.
//
// The lab calls it, from any goroutine; calls that start or end one Sentinel are taken one after another. Each running
// Sentinel has one goroutine that listens to it; it ends with the process, at the latest with Close.
//
// The configuration and the commands are those of redis.io's page on Sentinel.
package sentinels
