package sockets

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"redkeep/internal/stage/authority"
)

// secured are a server's and a client's sides of TLS.
func secured(t *testing.T) (server, client *tls.Config) {
	t.Helper()
	dir := t.TempDir()
	root, err := authority.New("a test's")
	if err != nil {
		t.Fatal(err)
	}
	cert, key, err := root.Issue(dir, "server", authority.Certificate{Names: []string{"127.0.0.1"}})
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	bundle := filepath.Join(dir, "ca.pem")
	if err := authority.Bundle(bundle, root); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(bundle)
	if err != nil {
		t.Fatal(err)
	}
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(text)
	return &tls.Config{Certificates: []tls.Certificate{pair}}, &tls.Config{RootCAs: trusted, ServerName: "127.0.0.1"}
}

// servingTLS listens with TLS and returns where.
func servingTLS(t *testing.T, l *Loop, config *tls.Config, accept func(*Conn) Handler) string {
	t.Helper()
	ln, err := l.Listen(loopback, 100, config, accept)
	if err != nil {
		t.Fatal(err)
	}
	return ln.Addr().String()
}

// dialledTLS connects as an ordinary client.
func dialledTLS(t *testing.T, at string, config *tls.Config) *tls.Conn {
	t.Helper()
	conn, err := tls.Dial("tcp", at, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return conn
}

func TestTLSEcho(t *testing.T) {
	server, client := secured(t)
	whys := make(chan error, 20)
	var at string
	l := running(t, Config{}, func(l *Loop) {
		at = servingTLS(t, l, server, func(*Conn) Handler { return telling(whys, echo) })
	})
	var all sync.WaitGroup
	for range 20 {
		conn := dialledTLS(t, at, client)
		all.Go(func() {
			for range 20 {
				if err := ask(conn, "secret\n"); err != nil {
					t.Error(err)
					return
				}
			}
			_, _ = conn.Write([]byte("last\n"))
			_ = conn.CloseWrite()
			if b, err := io.ReadAll(conn); err != nil || string(b) != "last\n" {
				t.Errorf("read %q, %v", b, err)
			}
		})
	}
	all.Wait()
	for range 20 {
		if why := within(t, whys, "closed"); !errors.Is(why, io.EOF) {
			t.Errorf("closed: %v", why)
		}
	}
	on(t, l, func() {
		if len(l.coded) != 0 || l.waiting != 0 {
			t.Errorf("%d connections and %d bytes are left", len(l.coded), l.waiting)
		}
	})
}

// Both ends in one loop, with much in both directions.
func TestTLSDial(t *testing.T) {
	server, client := secured(t)
	const size = 4 << 20
	done, whys := make(chan struct{}), make(chan error, 2)
	var at string
	l := running(t, Config{OutLimit: 2 * size}, func(l *Loop) {
		at = servingTLS(t, l, server, func(*Conn) Handler { return telling(whys, echo) })
	})
	got := 0
	on(t, l, func() {
		h := telling(whys, func(c *Conn, b []byte) int {
			if got += len(b); got == size {
				c.Close()
				close(done)
			}
			return len(b)
		})
		h.opened = func(c *Conn) {
			if c.Local().Port() == 0 || c.Remote().String() != at {
				t.Errorf("from %v to %v", c.Local(), c.Remote())
			}
		}
		l.Dial(netip.MustParseAddrPort(at), Options{TLS: client}, h).Write(bytes.Repeat([]byte("0123456789abcde\n"), size/16))
	})
	within(t, done, "all that was sent")
	for range 2 {
		if why := within(t, whys, "closed"); why != nil && !errors.Is(why, io.EOF) {
			t.Errorf("closed: %v", why)
		}
	}
}

func TestTLSHold(t *testing.T) {
	server, client := secured(t)
	held := make(chan *Conn, 10)
	var at string
	l := running(t, Config{}, func(l *Loop) {
		at = servingTLS(t, l, server, func(*Conn) Handler {
			return &played{received: func(c *Conn, b []byte) int { c.Hold(); held <- c; return bytes.IndexByte(b, '\n') + 1 }}
		})
	})
	conn := dialledTLS(t, at, client)
	_, _ = conn.Write([]byte("one\ntwo\n"))
	_ = conn.CloseWrite()
	for range 2 {
		c := within(t, held, "a question")
		on(t, l, func() { c.Write([]byte("answer\n")); c.Resume() })
	}
	if b, err := io.ReadAll(conn); err != nil || string(b) != "answer\nanswer\n" {
		t.Errorf("read %q, %v", b, err)
	}
}

// Who does not shake hands, does not read, or is not trusted is dropped, and nothing of it is left.
func TestTLSDrop(t *testing.T) {
	server, client := secured(t)
	whys := make(chan error, 1)
	var at string
	l := running(t, Config{Handshake: time.Second, Slow: 300 * time.Millisecond, OutLimit: 1 << 30, Waiting: 1 << 30}, func(l *Loop) {
		at = servingTLS(t, l, server, func(*Conn) Handler {
			h := telling(whys, nil)
			h.opened = func(c *Conn) { c.Write(make([]byte, 32<<20)) }
			return h
		})
	})
	silent, err := net.Dial("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	if why := within(t, whys, "the silent one's end"); !errors.Is(why, ErrTimeout) {
		t.Errorf("silent: %v", why)
	}
	dialledTLS(t, at, client)
	if why := within(t, whys, "the slow one's end"); !errors.Is(why, ErrSlow) {
		t.Errorf("slow: %v", why)
	}
	plain := dialled(t, at)
	_, _ = plain.Write([]byte("PING\r\nPING\r\nPING\r\n"))
	if why := within(t, whys, "the plain one's end"); why == nil || errors.Is(why, ErrTimeout) {
		t.Errorf("plain: %v", why)
	}
	distrusts := make(chan error, 1)
	on(t, l, func() {
		l.Dial(netip.MustParseAddrPort(at), Options{TLS: &tls.Config{ServerName: "127.0.0.1", RootCAs: x509.NewCertPool()}}, telling(distrusts, nil))
	})
	if why := within(t, distrusts, "distrust"); why == nil || errors.Is(why, io.EOF) {
		t.Errorf("distrust: %v", why)
	}
	within(t, whys, "the other end of distrust")
	on(t, l, func() {
		l.Dial(netip.MustParseAddrPort(at), Options{TLS: client}, telling(distrusts, nil)).Abort()
	})
	if why := within(t, distrusts, "abort"); why != nil {
		t.Errorf("abort: %v", why)
	}
}

// The loop's end does not wait for peers.
func TestTLSEnd(t *testing.T) {
	server, client := secured(t)
	whys := make(chan error, 3)
	var at string
	t.Run("loop", func(sub *testing.T) {
		running(sub, Config{OutLimit: 1 << 30}, func(l *Loop) {
			at = servingTLS(t, l, server, func(*Conn) Handler {
				h := telling(whys, nil)
				h.opened = func(c *Conn) { c.Write(make([]byte, 32<<20)) }
				return h
			})
		})
		dialledTLS(t, at, client)
		dialled(t, at)
		dialledTLS(t, at, client)
	})
	for range 3 {
		if why := within(t, whys, "the end"); !errors.Is(why, ErrEnded) {
			t.Errorf("closed: %v", why)
		}
	}
}
