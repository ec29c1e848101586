// Package logline prints a line of a Redis log: process, role, local time, level and text.
//
// It writes nothing anywhere, and chooses neither what is worth a line nor where it goes. A line is one line whatever the text has in
// it, since names and messages of strangers get into texts.
//
// act/logfile calls it, from its one goroutine; the command line reads a configuration's loglevel with it.
//
// The form is that of redis-server and redis-sentinel 7.0, which log collectors take apart: PID:X 20 Nov 2026 18:18:22.393 # text.
package logline
