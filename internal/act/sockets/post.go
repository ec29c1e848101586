package sockets

import (
	"sync"
	"sync/atomic"
)

// mailbox is what other goroutines leave for the loop.
type mailbox struct {
	bell int // an eventfd; nobody reads it, since each ring is told once
	most int

	// asleep says that the loop is about to wait, or waits: whoever clears it rings.
	asleep atomic.Bool
	full   atomic.Bool // there is something

	mu    sync.Mutex // guards what follows
	queue []func()
	spare []func()
	ended bool
}

// put leaves a function. Those that are owed, whose number somebody else bounds, are taken however many wait: the room's own goroutines
// have one each on its way at most.
func (m *mailbox) put(f func(), owed bool) bool {
	m.mu.Lock()
	if m.ended || !owed && len(m.queue) >= m.most {
		m.mu.Unlock()
		return false
	}
	m.queue = append(m.queue, f)
	m.full.Store(true)
	m.ring()
	m.mu.Unlock()
	return true
}

// ring wakes the loop if it sleeps. It is called under the lock, since the bell's number is another file's after the end.
func (m *mailbox) ring() {
	if m.asleep.CompareAndSwap(true, false) {
		increment(m.bell)
	}
}

// run calls what was left until now.
func (m *mailbox) run() {
	if !m.full.Load() {
		return
	}
	m.mu.Lock()
	queue := m.queue
	m.queue = m.spare
	m.full.Store(false)
	m.mu.Unlock()
	for _, f := range queue {
		f()
	}
	clear(queue)
	m.mu.Lock()
	m.spare = queue[:0]
	m.mu.Unlock()
}

// end refuses what is left from now on, and forgets the rest.
func (m *mailbox) end() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ended = true
	m.queue, m.spare = nil, nil
	m.full.Store(false)
}

// Post has the loop call a function soon, in order. It may be called from any goroutine and does not block; it returns false,
// and the function is never called, when too many wait or the loop has ended. Functions that still wait when it ends are dropped.
func (l *Loop) Post(f func()) bool { return l.mail.put(f, false) }

// Tell is Post for an answer that is awaited on the loop, and so must not be lost: it is taken however many wait, and returns false only
// when the loop has ended. Its bound is the caller's: one for each thing that was asked for, and a limit on those.
func (l *Loop) Tell(f func()) bool { return l.mail.put(f, true) }
