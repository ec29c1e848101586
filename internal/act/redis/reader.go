package redis

import (
	"net"
	"sync"

	"redkeep/internal/speak/resp"
)

// reply is what the reader of a connection hands over: a value, or the error that ended it.
type reply struct {
	value resp.Value
	err   error
}

// reader reads replies until the connection ends. It has no deadline, in the midst of a reply either: a server that stops there is one
// that owes an answer, which the session counts as silence. To hang up on it would look like its end.
type reader struct {
	replies chan reply
	done    chan struct{}
	wg      sync.WaitGroup
}

func startReader(conn net.Conn) *reader {
	r := &reader{replies: make(chan reply, 16), done: make(chan struct{})}
	r.wg.Go(func() { r.run(conn) }) // ended by the connection's end and stop.
	return r
}

func (r *reader) run(conn net.Conn) {
	from := resp.NewReader(conn, resp.Limits{Bytes: 1 << 20})
	for {
		v, err := from.Read()
		select {
		case r.replies <- reply{v, err}:
		case <-r.done:
			return
		}
		if err != nil {
			return
		}
	}
}

// stop ends the reader; the connection must have been closed before.
func (r *reader) stop() {
	close(r.done)
	r.wg.Wait()
}
