// Package logfile writes a Sentinel's log: to its file, which is opened anew for each batch of lines, to standard output, to syslog.
//
// It does not rotate, and has no opinion on what is logged but the level below which nothing is. What can't be written is lost, and
// what is written faster than the disk or the reader takes it too; how much that was is the next line.
//
// Write is for any goroutine and never waits: the loop of agent/sentinel has votes to answer while a log's disk hangs. One goroutine
// writes, and ends when nothing is left to write. Flush waits for that, with a bound.
//
// The rules are redis-sentinel 7.0's: a file that is renamed is left alone from the next line on, so that logrotate needs no signal;
// syslog gets what the file gets. The form of a line is speak/logline's.
package logfile
