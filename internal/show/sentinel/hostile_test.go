package sentinel

import (
	"bytes"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"redkeep/internal/picture"
	"redkeep/internal/speak/resp"
	"redkeep/internal/words"
)

// ear is a peer that only remembers.
type ear struct {
	heard []byte
	// sends counts calls of Send.
	sends                 int
	closed, held, listens bool
}

func (e *ear) Addrs() (remote, local string) { return "192.0.2.1:5", "192.0.2.2:26379" }

func (e *ear) Send(b []byte) {
	e.heard = append(e.heard, b...)
	e.sends++
}

func (e *ear) Close(bool)     { e.closed = true }
func (e *ear) Hold()          { e.held = true }
func (e *ear) Resume()        { e.held = false }
func (e *ear) Listens(y bool) { e.listens = y }

// take returns what was heard since the last call.
func (e *ear) take() string {
	b := string(e.heard)
	e.heard = nil
	return b
}

// quiet is a face of a lease without a transport.
func quiet(t testing.TB) (*Lease, *Face) {
	t.Helper()
	now := orders()
	return NewLease(LeaseConfig{
		Picture: func() *picture.Node { return &now }, DownAfter: time.Second,
		Failover: func(_ words.Group, done func(error)) { done(nil) },
	}, 0)
}

// TestTenThousandClientsCostLittle: a conversation that is idle has no buffers.
func TestTenThousandClientsCostLittle(t *testing.T) {
	const n = 10_000
	_, f := quiet(t)
	used := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	mouth, before := &ear{}, used()
	all := make([]*Client, n)
	for i := range all {
		all[i] = f.Open(mouth)
		all[i].Receive([]byte("*1\r\n$4\r\nPING\r\n"))
	}
	mouth.take()
	if each := (used() - before) / n; each > 512 {
		t.Errorf("%d bytes each", each)
	}
	if f.Open(mouth) != nil || mouth.take() != "-ERR max number of clients reached\r\n" {
		t.Error("there is room for one more")
	}
	runtime.KeepAlive(all)
}

// TestWhatIsAskedMostTakesNoMemory asks for the master, and pings.
func TestWhatIsAskedMostTakesNoMemory(t *testing.T) {
	_, f := quiet(t)
	mouth := &ear{}
	c := f.Open(mouth)
	request := resp.AppendCommand(nil, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", "orders")
	request = resp.AppendCommand(request, "PING")
	answer := "*2\r\n$9\r\n127.0.0.1\r\n$4\r\n6379\r\n+PONG\r\n"
	if used := c.Receive(request); used != len(request) || mouth.take() != answer {
		t.Fatalf("%d of %d bytes", used, len(request))
	}
	mouth.heard = make([]byte, 0, 1000*len(answer))
	if n := testing.AllocsPerRun(900, func() { c.Receive(request) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestRepliesOfABatchLeaveTogether, and not all of a large one at once.
func TestRepliesOfABatchLeaveTogether(t *testing.T) {
	_, f := quiet(t)
	mouth := &ear{}
	c := f.Open(mouth)
	c.Receive([]byte(strings.Repeat("PING\r\n", 16)))
	if mouth.sends != 1 || mouth.take() != strings.Repeat("+PONG\r\n", 16) {
		t.Errorf("%d sends", mouth.sends)
	}
	requests := []byte(strings.Repeat("SENTINEL MASTERS\r\n", 1000))
	turns := 0
	for used := 0; used < len(requests); turns++ {
		n := c.Receive(requests[used:])
		if got := len(mouth.take()); n == 0 || got > 2*enough {
			t.Fatalf("%d bytes of requests give %d of replies", n, got)
		}
		used += n
	}
	if turns < 5 {
		t.Errorf("all was answered in %d turns", turns)
	}
}

// TestAnAnswerIsAwaited: what comes behind a request that waits is answered after it.
func TestAnAnswerIsAwaited(t *testing.T) {
	n := changed(func(g *picture.Group) { g.Candidates = []picture.Candidate{{Node: "h2", Place: 1}} })
	var answer func(error)
	_, f := NewLease(LeaseConfig{Picture: func() *picture.Node { return &n }, Failover: func(_ words.Group, done func(error)) { answer = done }}, 0)
	mouth := &ear{}
	c := f.Open(mouth)
	first, rest := "PING\r\nSENTINEL FAILOVER orders\r\n", []byte("PING x\r\n")
	if used := c.Receive(append([]byte(first), rest...)); used != len(first) || mouth.take() != "+PONG\r\n" || !mouth.held {
		t.Fatalf("%d used, held %v", used, mouth.held)
	}
	if used := c.Receive(rest); used != 0 {
		t.Fatalf("%d bytes were taken while an answer was awaited", used)
	}
	f.Publish("+elected-leader", "nobody listens")
	answer(nil)
	answer(ErrInProgress) // once is enough
	if got := mouth.take(); got != "+OK\r\n" || mouth.held {
		t.Fatalf("%q, held %v", got, mouth.held)
	}
	if c.Receive(rest); mouth.take() != "$1\r\nx\r\n" {
		t.Error("it does not go on")
	}
	// Who goes while it waits is told nothing; the group is free again.
	c.Receive([]byte("SENTINEL FAILOVER orders\r\n"))
	c.Gone()
	answer(nil)
	if got := mouth.take(); got != "" {
		t.Errorf("%q", got)
	}
	// Neither is one that wants no replies; it goes on all the same.
	c = f.Open(mouth)
	c.Receive([]byte("CLIENT REPLY SKIP\r\nSENTINEL FAILOVER orders\r\nPING\r\n"))
	answer(nil)
	if got := mouth.take(); got != "" || mouth.held {
		t.Errorf("%q, held %v", got, mouth.held)
	}
}

// TestAllSubscriptionsAreBounded: those of some clients that take all there are leave a few for each, and what they give back.
func TestAllSubscriptionsAreBounded(t *testing.T) {
	_, f := quiet(t)
	ask := func(c *Client, request string) string {
		c.Receive([]byte(request + "\r\n"))
		return c.peer.(*ear).take()
	}
	var many, few strings.Builder
	for i := range maxSubscriptions {
		many.WriteString(" " + strconv.Itoa(i))
		if i < fewSubscriptions {
			few.WriteString(" " + strconv.Itoa(i))
		}
	}
	var greedy []*Client
	for range allSubscriptions / maxSubscriptions {
		c := f.Open(&ear{})
		if got := ask(c, "SUBSCRIBE"+many.String()); strings.Contains(got, "-ERR") {
			t.Fatalf("%q", got)
		}
		greedy = append(greedy, c)
	}
	c := f.Open(&ear{})
	if got := ask(c, "PSUBSCRIBE"+few.String()); strings.Contains(got, "-ERR") {
		t.Errorf("%q", got)
	}
	if got := ask(c, "SUBSCRIBE x"); !strings.HasPrefix(got, "-ERR all clients together") {
		t.Errorf("%q", got)
	}
	ask(greedy[0], "UNSUBSCRIBE 0 0 1 2 3 4 5 6 7 8")
	if got := ask(c, "SUBSCRIBE x"); strings.Contains(got, "-ERR") {
		t.Errorf("%q", got)
	}
	for _, g := range append(greedy, c) {
		g.Gone()
	}
	if f.subscribed != 0 {
		t.Errorf("%d are left", f.subscribed)
	}
}

// TestUnheardRequestsTakeTurns: a pipeline whose replies nobody wants is answered in pieces, too, and all of it.
func TestUnheardRequestsTakeTurns(t *testing.T) {
	_, f := quiet(t)
	e := &ear{}
	c := f.Open(e)
	rest := []byte("CLIENT REPLY OFF\r\n" + strings.Repeat("INFO\r\n", 10_000) + "CLIENT REPLY ON\r\n")
	turns := 0
	for ; len(rest) > 0; turns++ {
		used := c.Receive(rest)
		if rest = rest[used:]; used == 0 || e.held {
			t.Fatalf("%d bytes are used of %d, and it does not go on", used, used+len(rest))
		}
	}
	// No machine answers as many within a few stints.
	if got := e.take(); got != "+OK\r\n" || turns < 5 {
		t.Errorf("%d turns, and it is told %q", turns, got)
	}
}

// TestMessagesKeepTheirPlace: a client that causes an event hears of it before it is told OK, and is not spared by CLIENT REPLY.
func TestMessagesKeepTheirPlace(t *testing.T) {
	l, f := quiet(t)
	l.config.Failover = func(_ words.Group, done func(error)) {
		f.Publish("+try-failover", "x")
		done(nil)
	}
	now := changed(func(g *picture.Group) { g.Candidates = []picture.Candidate{{Node: "h2", Place: 1}} })
	l.config.Picture = func() *picture.Node { return &now }
	mouth := &ear{}
	c := f.Open(mouth)
	message := ">3\r\n$7\r\nmessage\r\n$13\r\n+try-failover\r\n$1\r\nx\r\n"
	c.Receive([]byte("HELLO 3\r\nSUBSCRIBE +try-failover\r\n"))
	mouth.take()
	c.Receive([]byte("SENTINEL FAILOVER orders\r\n"))
	if got := mouth.take(); got != message+"+OK\r\n" {
		t.Errorf("%q", got)
	}
	c.Receive([]byte("CLIENT REPLY OFF\r\nSUBSCRIBE a\r\nPING\r\nSENTINEL FAILOVER orders\r\n"))
	if got := mouth.take(); got != ">3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:2\r\n"+message {
		t.Errorf("%q", got)
	}
	if c.Gone(); len(f.listeners)+len(f.clients) != 0 {
		t.Error("somebody is left")
	}
}

// FuzzConversation sends anything in two parts: the face must answer, and keep to its bounds.
func FuzzConversation(f *testing.F) {
	for _, seed := range questions {
		f.Add([]byte(strings.ReplaceAll(seed, "$PORT", "6379")+"\r\n"), 5)
	}
	f.Add([]byte("HELLO 3\r\nSUBSCRIBE a\r\nPSUBSCRIBE [a-\\\r\nUNSUBSCRIBE\r\nCLIENT REPLY SKIP\r\nPING\r\n"), 30)
	f.Add([]byte("*2\r\n$4\r\nPING\r\n$60000\r\nhalf"), 9)
	f.Fuzz(func(t *testing.T, wire []byte, cut int) {
		_, whole := converse(t, wire, len(wire))
		parts, other := converse(t, wire, cut)
		if !bytes.ContainsAny(wire, "gGlLiI") && !bytes.Equal(whole.heard, other.heard) { // not GENPASS, LIST, INFO
			t.Fatalf("in one part %q, in two %q", whole.heard, other.heard)
		}
		if parts.Gone(); len(parts.face.listeners)+len(parts.face.clients) != 0 {
			t.Fatal("somebody is left")
		}
	})
}

// converse has a client send bytes.
func converse(t *testing.T, wire []byte, cut int) (*Client, *ear) {
	_, f := quiet(t)
	mouth := &ear{}
	c := f.Open(mouth)
	cut = min(max(cut, 0), len(wire))
	var left []byte
	for _, part := range [][]byte{wire[:cut], wire[cut:]} {
		for left = append(left, part...); ; {
			used := c.Receive(left)
			if left = slices.Clone(left[used:]); used == 0 || len(left) == 0 {
				break
			}
		}
	}
	// The longest reply is that of COMMAND DOCS, some 16 KB for 12 bytes; the longest line of a request is 4 KB.
	if n := len(mouth.heard); n > 4096*(len(wire)+1) {
		t.Fatalf("%d bytes of replies to %d of requests", n, len(wire))
	}
	if mouth.held {
		t.Fatal("nothing is awaited")
	}
	return c, mouth
}

// BenchmarkGetMasterAddr is what most clients ask, sixteen times at once: after the same group, and after others in turn.
func BenchmarkGetMasterAddr(b *testing.B) {
	of := func(group string) []byte {
		return resp.AppendCommand(nil, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", group)
	}
	for name, requests := range map[string][]byte{
		"same": bytes.Repeat(of("orders"), 16), "others": bytes.Repeat(append(of("orders"), of("nobody")...), 8),
	} {
		b.Run(name, func(b *testing.B) {
			_, f := quiet(b)
			c := f.Open(deaf{&ear{}})
			b.ReportAllocs()
			for b.Loop() {
				c.Receive(requests)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/16, "ns/request")
		})
	}
}

// deaf hears nothing.
type deaf struct{ *ear }

func (deaf) Send([]byte) {}

// TestFormOfABrowser: a page that makes a browser on the right host send a form gives no orders.
func TestFormOfABrowser(t *testing.T) {
	for _, first := range []string{"POST / HTTP/1.1", "post x", "Host: orders.example", "GET / HTTP/1.1\r\nHost: orders.example"} {
		failovers := 0
		now := orders()
		_, f := NewLease(LeaseConfig{
			Picture: func() *picture.Node { return &now }, DownAfter: time.Second,
			Failover: func(_ words.Group, done func(error)) { failovers++; done(nil) },
		}, 0)
		e := &ear{}
		f.Open(e).Receive([]byte(first + "\r\nSENTINEL FAILOVER orders\r\n"))
		if !e.closed || failovers != 0 {
			t.Errorf("%q: closed %v, %d failovers, told %q", first, e.closed, failovers, e.take())
		}
	}
	e := &ear{}
	_, f := quiet(t)
	f.Open(e).Receive([]byte("HOSTS\r\n"))
	if e.closed || !strings.Contains(e.take(), "unknown command 'HOSTS'") {
		t.Errorf("a command that there is not: closed %v", e.closed)
	}
}
