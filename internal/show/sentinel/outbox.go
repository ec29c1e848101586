package sentinel

import (
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// maxPending is how many bytes may wait for a client; one that reads more slowly is dropped. A single reply may be larger.
const maxPending = 256 << 10

// Together the clients of a face may have shared bytes waiting. Beyond that, one that has more than fair is dropped when there
// is more for it: so ten thousand subscribers that read nothing cost this much and no more.
const (
	shared = 64 << 20
	fair   = 4 << 10
)

// outbox holds what waits to be written to one client. Whoever puts something in never waits for the network, so that
// one slow subscriber holds up nobody.
type outbox struct {
	wake chan struct{}
	// all counts what waits in all outboxes of the face, what is being written included.
	all *atomic.Int64

	mu      sync.Mutex // guards what follows
	pending []byte
	writing bool // drain has taken bytes, and has not written them all
	ended   bool
}

func newOutbox(all *atomic.Int64) *outbox { return &outbox{wake: make(chan struct{}, 1), all: all} }

// put adds bytes and reports whether there was room; where there was none, the client must be dropped.
func (o *outbox) put(b []byte) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.pending) > maxPending || len(o.pending) > fair && o.all.Load() > shared {
		return false
	}
	if !o.ended {
		o.pending = append(o.pending, b...)
		o.all.Add(int64(len(b)))
	}
	o.signal()
	return true
}

// size is how many bytes wait.
func (o *outbox) size() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.pending)
}

// end says that nothing more comes: drain returns after the rest.
func (o *outbox) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ended = true
	o.signal()
}

func (o *outbox) signal() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// idle reports whether nothing waits or is being written.
func (o *outbox) idle() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.pending) == 0 && !o.writing
}

// take returns what waits, and whether more may come. Bytes that were taken must be written, and then given to written.
func (o *outbox) take() (b []byte, more bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	b, o.pending = o.pending, nil
	o.writing = len(b) > 0
	return b, !o.ended
}

// written says that the bytes that were taken are gone, one way or the other.
func (o *outbox) written(n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.writing = false
	o.all.Add(-int64(n))
}

// drain writes to the connection until the end. A write that fails closes the connection, which ends its reader, too.
func (o *outbox) drain(conn net.Conn) {
	for more := true; more; {
		<-o.wake
		var b []byte
		if b, more = o.take(); len(b) == 0 {
			continue
		}
		_ = conn.SetWriteDeadline(time.Now().Add(writeTime))
		_, err := conn.Write(b)
		o.written(len(b))
		if err != nil {
			conn.Close()
		}
	}
}
