package logfile

import (
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"redkeep/internal/speak/logline"
)

// Options say where a log goes.
type Options struct {
	// Path is the file, "" for Out. It is best absolute.
	Path string
	Out  io.Writer
	// Least is the lowest level that is written.
	Least logline.Level
	// Syslog gets the lines too, unless it is nil.
	Syslog *Syslog
}

// most is how many bytes of lines wait for a slow disk.
const most = 1 << 20

// Log is where the lines of one process go.
type Log struct {
	Options
	pid   int
	least atomic.Uint32

	mu   sync.Mutex
	text []byte // lines for the file
	sys  [][]byte
	lost int
	// idle is closed when the goroutine that writes has ended; nil while there is none.
	idle chan struct{}
}

// Open returns a log whose file can be written to now. The error wraps the kernel's.
func Open(o Options) (*Log, error) {
	l := &Log{Options: o, pid: os.Getpid()}
	l.SetLeast(o.Least)
	if o.Path != "" {
		f, err := l.open()
		if err != nil {
			return nil, fmt.Errorf("open the log file: %w", err)
		}
		_ = f.Close()
	}
	return l, nil
}

// SetLeast changes the lowest level that is written.
func (l *Log) SetLeast(least logline.Level) { l.least.Store(uint32(least)) }

// Write logs one line. It does not wait.
func (l *Log) Write(level logline.Level, text string) {
	if uint32(level) < l.least.Load() {
		return
	}
	at := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.text) > most {
		l.lost++
		return
	}
	l.add(at, level, text)
	if l.idle == nil {
		l.idle = make(chan struct{})
		go l.write() // ends when nothing is left
	}
}

// add puts a line to those that wait. The lock is held.
func (l *Log) add(at time.Time, level logline.Level, text string) {
	l.text = logline.Append(l.text, l.pid, logline.Sentinel, at, level, text)
	if l.Syslog != nil {
		l.sys = append(l.sys, l.Syslog.message(l.pid, at, level, text))
	}
}

// Flush waits until all is written, or for as long as the bound.
func (l *Log) Flush(bound time.Duration) {
	l.mu.Lock()
	idle := l.idle
	l.mu.Unlock()
	if idle == nil {
		return
	}
	limit := time.NewTimer(bound)
	defer limit.Stop()
	select {
	case <-idle:
	case <-limit.C:
	}
}

// write takes what waits, in turns, as long as something does.
func (l *Log) write() {
	for {
		l.mu.Lock()
		if l.lost > 0 {
			l.add(time.Now(), logline.Warning, fmt.Sprintf("%d lines of the log are lost: it is not written as fast as it grows", l.lost))
			l.lost = 0
		}
		text, sys := l.text, l.sys
		l.text, l.sys = nil, nil
		if len(text) == 0 {
			close(l.idle)
			l.idle = nil
			l.mu.Unlock()
			return
		}
		l.mu.Unlock()
		l.put(text)
		if l.Syslog != nil {
			l.Syslog.send(sys)
		}
	}
}

// put writes lines to the file that has the log's name now.
func (l *Log) put(text []byte) {
	if l.Path == "" {
		_, _ = l.Out.Write(text)
		return
	}
	if f, err := l.open(); err == nil {
		_, _ = f.Write(text)
		_ = f.Close()
	}
}

// open opens the file for more. Who may read it is for the umask to say, as with Redis.
func (l *Log) open() (*os.File, error) {
	return os.OpenFile(l.Path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o666)
}
