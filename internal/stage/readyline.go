package stage

import (
	"bytes"
	"sync"
)

// ready is what every Redis and Valkey prints when it has loaded its data and listens.
var ready = []byte("eady to accept connections")

// tailLimit is how much of a program's output is kept for an error.
const tailLimit = 2 << 10

// readyLine watches a server's output for the line that says it is ready.
type readyLine struct {
	seen chan struct{}
	once sync.Once

	mu   sync.Mutex // guards last
	last []byte
}

func newReadyLine() *readyLine { return &readyLine{seen: make(chan struct{})} }

// Write takes output in pieces of any size.
func (l *readyLine) Write(output []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = append(l.last, output...)
	if bytes.Contains(l.last, ready) {
		l.once.Do(func() { close(l.seen) })
	}
	if extra := len(l.last) - tailLimit; extra > 0 {
		l.last = l.last[extra:]
	}
	return len(output), nil
}

// tail returns the end of what was printed.
func (l *readyLine) tail() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(bytes.TrimSpace(l.last))
}
