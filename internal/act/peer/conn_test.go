package peer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"redkeep/internal/speak/seal"
)

// echo answers every request with itself, and knows a few words.
func echo(ctx context.Context, who string, request []byte, reply func([]byte) error) error {
	switch text := string(request); text {
	case "who":
		return reply([]byte(who))
	case "fail":
		return errors.New("no lease; run: redkeep explain")
	case "nothing":
		return nil
	case "count":
		for i := range 5 {
			if err := reply(fmt.Appendf(nil, "%d", i)); err != nil {
				return err
			}
		}
		return nil
	case "wait":
		<-ctx.Done()
		return ctx.Err()
	default:
		return reply(request)
	}
}

func server(t testing.TB, change func(*Config)) *host {
	t.Helper()
	return open(t, "a", 1, ports(t, "a", "b"), func(c *Config) {
		c.OnAsk = echo
		if change != nil {
			change(c)
		}
	})
}

func dialTo(t testing.TB, h *host) *Conn {
	t.Helper()
	c, err := Dial(t.Context(), h.Addr().String(), secret, CommandLine)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestAskAndStream(t *testing.T) {
	c := dialTo(t, server(t, nil))
	if c.Server() != "a" {
		t.Errorf("server %q", c.Server())
	}
	big := strings.Repeat("x", seal.MaxPayload)
	for request, want := range map[string]string{"who": CommandLine, "hello": "hello", "nothing": "", big: big} {
		got, err := c.Ask(t.Context(), []byte(request))
		if err != nil || string(got) != want {
			t.Errorf("ask %.10q: %.10q, %v", request, got, err)
		}
	}
	var refused *AnswerError
	_, err := c.Ask(t.Context(), []byte("fail"))
	if !errors.As(err, &refused) || refused.Node != "a" || refused.Text != "no lease; run: redkeep explain" {
		t.Errorf("refusal: %v", err)
	}
	var parts []string
	err = c.Stream(t.Context(), []byte("count"), func(part []byte) error {
		parts = append(parts, string(part))
		return nil
	})
	if err != nil || strings.Join(parts, "") != "01234" {
		t.Errorf("stream: %q, %v", parts, err)
	}
	if _, err := c.Ask(t.Context(), []byte("count")); err == nil {
		t.Error("five parts passed for one")
	}
	if _, err := c.Ask(t.Context(), []byte("hello")); err == nil {
		t.Error("a broken connection was used again")
	}
}

func TestPeersDialByName(t *testing.T) {
	addrs := ports(t, "a", "b", "c")
	a := open(t, "a", 1, addrs, func(c *Config) { c.OnAsk = echo })
	crossed := ports(t, "b")
	crossed["a"], crossed["c"] = addrs["a"], addrs["a"]
	b := open(t, "b", 1, crossed, nil)
	c, err := b.Dial(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if who, err := c.Ask(t.Context(), []byte("who")); err != nil || string(who) != "b" {
		t.Errorf("who: %q, %v", who, err)
	}
	if from := c.wire.conn.LocalAddr().(*net.TCPAddr).AddrPort().Addr(); from != b.Addr().Addr() {
		t.Errorf("dialled from %v", from)
	}
	if _, err := b.Dial(t.Context(), "c"); err == nil || !strings.Contains(err.Error(), "calls itself a") {
		t.Errorf("another node at the address: %v", err)
	}
	if _, err := b.Dial(t.Context(), "d"); err == nil {
		t.Error("a stranger was dialled")
	}
	if a.Counters().Connections == 0 {
		t.Error("nothing counted")
	}
}

func TestDialSaysWhatIsWrong(t *testing.T) {
	h := server(t, nil)
	if _, err := Dial(t.Context(), h.Addr().String(), []byte("another"), CommandLine); !errors.Is(err, seal.ErrSecret) {
		t.Errorf("another secret: %v", err)
	}
	h.Close()
	_, err := Dial(t.Context(), h.Addr().String(), secret, CommandLine)
	if err == nil || !strings.Contains(err.Error(), "is the agent running") {
		t.Errorf("no agent: %v", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := Dial(ctx, l.Addr().String(), secret, CommandLine); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("silent server: %v", err)
	}
}

func TestContextEndsAnAsk(t *testing.T) {
	h := server(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	c := dialTo(t, h)
	done := make(chan error, 1)
	go func() {
		_, err := c.Ask(ctx, []byte("wait"))
		done <- err
	}()
	until(t, "the connection is served", func() bool { return h.Counters().Connections == 1 })
	cancel()
	select {
	case err := <-done:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	case <-time.After(patience):
		t.Fatal("the ask goes on")
	}
}

// The handler's context ends when its caller hangs up, and when the Peer closes.
func TestHandlerEndsWithItsCaller(t *testing.T) {
	waiting, ended := make(chan struct{}, 8), make(chan struct{}, 8)
	h := server(t, func(c *Config) {
		c.OnAsk = func(ctx context.Context, _ string, _ []byte, _ func([]byte) error) error {
			waiting <- struct{}{}
			<-ctx.Done()
			ended <- struct{}{}
			return nil
		}
	})
	for _, end := range []func(*Conn){func(c *Conn) { c.Close() }, func(*Conn) { h.Close() }} {
		c := dialTo(t, h)
		done := make(chan struct{})
		go func() { defer close(done); c.Ask(t.Context(), nil) }()
		for _, step := range []chan struct{}{waiting, ended, done} {
			if step == ended {
				end(c)
			}
			select {
			case <-step:
			case <-time.After(patience):
				t.Fatal("the handler goes on")
			}
		}
	}
}

// Who proves nothing holds at most maxKnocking places, and keeps no honest caller out.
func TestSilentCallersKeepNobodyOut(t *testing.T) {
	h := server(t, nil)
	var silent []net.Conn
	for range 3 * maxKnocking {
		c, err := net.Dial("tcp", h.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		silent = append(silent, c)
	}
	if got, err := dialTo(t, h).Ask(t.Context(), []byte("hello")); err != nil || string(got) != "hello" {
		t.Errorf("honest caller: %q, %v", got, err)
	}
	// All of them are gone by the end of the handshake's time, whatever they drip.
	for i, c := range silent {
		c.SetDeadline(time.Now().Add(patience))
		if i >= 2*maxKnocking {
			c.Write([]byte("RK"))
		}
		if _, err := io.ReadAll(c); err != nil && strings.Contains(err.Error(), "timeout") {
			t.Fatalf("connection %d is still held", i)
		}
	}
}

func TestHostileStreamsAreTurnedAway(t *testing.T) {
	h := server(t, nil)
	intro, err := introduce("cli")
	if err != nil {
		t.Fatal(err)
	}
	for name, send := range map[string][]byte{
		"http":        []byte("GET / HTTP/1.1\r\nHost: redkeep.example\r\n\r\n"),
		"no name":     append([]byte("RKS\x01"), make([]byte, 17)...),
		"long name":   append(append([]byte("RKS\x01"), make([]byte, 16)...), 255),
		"wrong proof": append(intro, make([]byte, 400)...),
	} {
		c, err := net.Dial("tcp", h.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		c.SetDeadline(time.Now().Add(patience))
		c.Write(send)
		if _, err := io.ReadAll(c); err != nil && strings.Contains(err.Error(), "timeout") {
			t.Errorf("%s: still held", name)
		}
		c.Close()
	}
	until(t, "they were counted", func() bool { return h.Counters().Turned == 4 })
	c := dialTo(t, h)
	c.wire.conn.Write([]byte("\xff\xff\xff\xff\x01"))
	c.wire.conn.SetDeadline(time.Now().Add(patience))
	if _, err := c.wire.conn.Read(make([]byte, 1)); !errors.Is(err, io.EOF) && !strings.Contains(fmt.Sprint(err), "reset") {
		t.Errorf("a frame of 4 GiB: %v", err)
	}
}

func TestConnectionsAreBounded(t *testing.T) {
	h := server(t, nil)
	for range maxSeated {
		c := dialTo(t, h)
		if _, err := c.Ask(t.Context(), []byte("hello")); err != nil {
			t.Fatal(err)
		}
	}
	var refused *AnswerError
	if _, err := dialTo(t, h).Ask(t.Context(), []byte("hello")); !errors.As(err, &refused) {
		t.Errorf("one too many: %v", err)
	}
}

func TestRequestsTakeTurns(t *testing.T) {
	c := dialTo(t, server(t, nil))
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for j := range 50 {
				want := fmt.Sprintf("%d %d", i, j)
				if got, err := c.Ask(t.Context(), []byte(want)); err != nil || string(got) != want {
					t.Errorf("got %q, %v; want %q", got, err, want)
					return
				}
			}
		})
	}
	all.Wait()
}

func BenchmarkAsk(b *testing.B) {
	c := dialTo(b, server(b, nil))
	request := make([]byte, 200)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Ask(b.Context(), request); err != nil {
			b.Fatal(err)
		}
	}
}
