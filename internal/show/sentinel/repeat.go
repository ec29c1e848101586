package sentinel

import (
	"bytes"

	"redkeep/internal/speak/resp"
)

// repeat is the request that was answered last, with its reply, where the same bytes once more would be answered the same. A pipeline
// of one question over and over is then looked at once. It is forgotten with the next request that is another, with what was
// gathered, and with the batch: until then nothing has happened that could change an answer, since all of it is one turn.
type repeat struct {
	request []byte // of the batch; empty where there is none
	// from and to are where the reply stands in what was gathered.
	from, to int
}

// repeated answers the requests at the start of b that are the last one again, and returns their bytes.
func (c *Client) repeated(b []byte, work *batch) (used int) {
	last, r := &work.repeat, &work.reply
	if len(last.request) == 0 {
		return 0
	}
	for len(r.buf) <= gathered && bytes.HasPrefix(b[used:], last.request) {
		r.buf = append(r.buf, r.buf[last.from:last.to]...)
		used += len(last.request)
		c.face.counts.requests++
	}
	return used
}

// repeatable has a request be known again that was answered by asking and nothing else. Errors are not: they are counted, and some
// are put down.
func (c *Client) repeatable(request []byte, work *batch) {
	work.repeat = repeat{}
	start, buf := work.start, work.reply.buf
	if c.last == nil || c.last.quick == nil || start == len(buf) || resp.Kind(buf[start]) == resp.Error {
		return
	}
	work.repeat = repeat{request, start, len(buf)}
}
