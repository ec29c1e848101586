package sentinel

import (
	"errors"
	"net"
	"sync"
	"testing"
	"time"
)

// transport is the plainest that a face can have: a goroutine for the face, and one for each connection that hands over what
// it reads. It bounds nothing but its own end; the transport that does is tested where it is wired.
type transport struct {
	t       *testing.T
	calls   chan func()
	ended   chan struct{}
	running sync.WaitGroup
}

func newTransport(t *testing.T) *transport {
	return &transport{t: t, calls: make(chan func(), 1000), ended: make(chan struct{})}
}

// post has something called on the face's goroutine; after the end it is dropped.
func (tr *transport) post(call func()) {
	select {
	case tr.calls <- call:
	case <-tr.ended:
	}
}

// after does that later.
func (tr *transport) after(d time.Duration, call func()) {
	timer := time.AfterFunc(d, func() { tr.post(call) })
	tr.running.Go(func() {
		<-tr.ended
		timer.Stop()
	})
}

// within calls something on the face's goroutine and waits for it.
func (tr *transport) within(call func()) {
	done := make(chan struct{})
	tr.post(func() { call(); close(done) })
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		tr.t.Error("the face's goroutine hangs")
	}
}

// serve listens for clients of the face until the test's end.
func (tr *transport) serve(f *Face) (addr string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tr.t.Fatal(err)
	}
	open := map[*wire]struct{}{}
	tr.running.Go(func() {
		for {
			select {
			case call := <-tr.calls:
				call()
			case <-tr.ended:
				for w := range open {
					w.conn.Close()
				}
				return
			}
		}
	})
	tr.running.Go(func() {
		for {
			conn, err := l.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err != nil {
				continue
			}
			w := &wire{tr: tr, conn: conn}
			tr.post(func() {
				open[w] = struct{}{}
				if w.client = f.Open(w); w.client != nil {
					tr.running.Go(w.read)
				}
			})
		}
	})
	tr.t.Cleanup(func() {
		l.Close()
		close(tr.ended)
		tr.running.Wait()
	})
	return l.Addr().String()
}

// wire is one connection; all but conn belongs to the face's goroutine.
type wire struct {
	tr     *transport
	conn   net.Conn
	client *Client
	left   []byte
	held   bool
	closed bool
}

// read hands over what comes.
func (w *wire) read() {
	buf := make([]byte, 4096)
	for {
		n, err := w.conn.Read(buf)
		if err != nil {
			w.tr.post(w.client.Gone)
			return
		}
		done := make(chan struct{})
		w.tr.post(func() {
			w.left = append(w.left, buf[:n]...)
			w.receive()
			close(done)
		})
		select {
		case <-done:
		case <-w.tr.ended:
			return
		}
	}
}

func (w *wire) receive() {
	if !w.held && !w.closed && len(w.left) > 0 {
		w.left = w.left[w.client.Receive(w.left):]
	}
}

func (w *wire) Addrs() (remote, local string) {
	return w.conn.RemoteAddr().String(), w.conn.LocalAddr().String()
}

func (w *wire) Send(b []byte) {
	_ = w.conn.SetWriteDeadline(time.Now().Add(time.Second))
	_, _ = w.conn.Write(b)
}

func (w *wire) Close(bool) {
	w.closed = true
	w.conn.Close()
}

func (w *wire) Hold() { w.held = true }

func (w *wire) Resume() {
	w.held = false
	w.tr.running.Go(func() { w.tr.post(w.receive) })
}

func (w *wire) Listens(bool) {}
