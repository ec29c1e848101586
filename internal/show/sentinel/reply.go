package sentinel

import (
	"strconv"

	"redkeep/internal/speak/resp"
)

// reply collects what is answered to one request, in the client's version of RESP.
type reply struct {
	buf   []byte
	resp3 bool
}

func (r *reply) ok()             { r.simple("OK") }
func (r *reply) simple(s string) { r.buf = resp.AppendSimple(r.buf, s) }
func (r *reply) error(s string)  { r.buf = resp.AppendError(r.buf, s) }
func (r *reply) integer(n int64) { r.buf = resp.AppendInt(r.buf, n) }
func (r *reply) bulk(s string)   { r.buf = resp.AppendBulk(r.buf, s) }
func (r *reply) array(n int)     { r.buf = resp.AppendArray(r.buf, n) }
func (r *reply) bytes(b []byte)  { r.buf = resp.AppendBulkBytes(r.buf, b) }

// number answers with a number as a string.
func (r *reply) number(n int64) {
	var digits [20]byte
	r.bytes(strconv.AppendInt(digits[:0], n, 10))
}

func (r *reply) strings(s ...string) {
	for _, v := range s {
		r.bulk(v)
	}
}

// dict starts a map of n pairs: RESP2 has flat arrays for that.
func (r *reply) dict(n int) {
	if r.resp3 {
		r.buf = resp.AppendMap(r.buf, n)
		return
	}
	r.array(2 * n)
}

// set starts a set of n: RESP2 has arrays for that.
func (r *reply) set(n int) {
	if r.resp3 {
		r.buf = resp.AppendSet(r.buf, n)
		return
	}
	r.array(n)
}

// push starts a message that nobody asked for.
func (r *reply) push(n int) {
	if r.resp3 {
		r.buf = resp.AppendPush(r.buf, n)
		return
	}
	r.array(n)
}

// null answers that there is none, where a string would be.
func (r *reply) null() {
	if r.resp3 {
		r.buf = resp.AppendNull(r.buf)
		return
	}
	r.buf = resp.AppendNilBulk(r.buf)
}

// nullArray answers that there is none, where an array would be.
func (r *reply) nullArray() {
	if r.resp3 {
		r.buf = resp.AppendNull(r.buf)
		return
	}
	r.buf = resp.AppendNilArray(r.buf)
}

// text answers with lines for people.
func (r *reply) text(s string) {
	if r.resp3 {
		r.buf = resp.AppendVerbatim(r.buf, s)
		return
	}
	r.bulk(s)
}
