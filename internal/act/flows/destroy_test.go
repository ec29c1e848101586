package flows

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"redkeep/internal/stage/cell"
)

const mark, mask = 0x52000000, 0xff000000

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// listen accepts connections and hands them over.
func listen(t testing.TB, network, addr string) (port uint16, accepted <-chan net.Conn) {
	t.Helper()
	ln, err := net.Listen(network, addr)
	must(t, err)
	t.Cleanup(func() { must(t, ln.Close()) })
	out := make(chan net.Conn, 256)
	go func() { // Ends when the listener closes.
		defer close(out)
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			out <- c
		}
	}()
	return ln.Addr().(*net.TCPAddr).AddrPort().Port(), out
}

type client struct {
	net.Conn
	server net.Conn
}

func dial(t testing.TB, d net.Dialer, accepted <-chan net.Conn, addr string) client {
	t.Helper()
	c, err := d.Dial("tcp", addr)
	must(t, err)
	t.Cleanup(func() { _ = c.Close() })
	s := <-accepted
	t.Cleanup(func() { _ = s.Close() })
	return client{c, s}
}

// alive sends a byte from the server to the client.
func (c client) alive() error {
	if err := c.SetReadDeadline(time.Now().Add(250 * time.Millisecond)); err != nil {
		return err
	}
	if _, err := c.server.Write([]byte("x")); err != nil {
		return err
	}
	_, err := c.Read(make([]byte, 1))
	return err
}

func TestDestroyCountsAndKeeps(t *testing.T) {
	cell.Open(t)
	port, accepted := listen(t, "tcp", ":0") // One IPv6 socket for both families.
	other, otherAccepted := listen(t, "tcp4", "127.0.0.1:0")
	four, six := fmt.Sprintf("127.0.0.1:%d", port), fmt.Sprintf("[::1]:%d", port)
	marked := net.Dialer{Control: func(_, _ string, rc syscall.RawConn) error {
		var err error
		return errors.Join(rc.Control(func(fd uintptr) {
			err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_MARK, mark|1)
		}), err)
	}}
	from := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 82, 75, 1)}}
	replica := dial(t, net.Dialer{}, accepted, four)
	stay := map[string]client{
		"replica": replica, "agent": dial(t, marked, accepted, four), "agent by IPv6": dial(t, marked, accepted, six),
		"address": dial(t, from, accepted, four), "other port": dial(t, net.Dialer{}, otherAccepted, fmt.Sprintf("127.0.0.1:%d", other)),
	}
	var leave []client
	for range 5 {
		leave = append(leave, dial(t, net.Dialer{}, accepted, four), dial(t, net.Dialer{}, accepted, six))
	}
	keep := Keep{
		Remotes: []netip.AddrPort{replica.LocalAddr().(*net.TCPAddr).AddrPort()},
		From:    []netip.Addr{netip.MustParseAddr("127.82.75.1")}, Mark: mark, Mask: mask,
	}
	n, err := Destroy(t.Context(), []uint16{port}, keep)
	must(t, err)
	if n != len(leave) {
		t.Errorf("reset %d, want %d", n, len(leave))
	}
	for _, c := range leave {
		must(t, c.SetReadDeadline(time.Now().Add(250*time.Millisecond)))
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, unix.ECONNRESET) {
			t.Errorf("%v: %v, want a reset", c.LocalAddr(), err)
		}
	}
	for name, c := range stay {
		if err := c.alive(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n, err = Destroy(t.Context(), []uint16{port, port}, keep); n != 0 || err != nil {
		t.Errorf("again: %d, %v", n, err)
	}
	dial(t, net.Dialer{}, accepted, four) // The server goes on listening.
}

func TestCountCountsByOwnAddress(t *testing.T) {
	cell.Open(t)
	port, accepted := listen(t, "tcp", ":0")
	for _, host := range []string{"127.0.0.1", "127.0.0.2", "127.0.0.2", "[::1]"} {
		dial(t, net.Dialer{}, accepted, fmt.Sprintf("%s:%d", host, port))
	}
	for own, want := range map[string]int{"127.0.0.1": 1, "127.0.0.2": 2, "::1": 1, "127.0.0.3": 0} {
		if got, err := Count([]uint16{port}, []netip.Addr{netip.MustParseAddr(own)}); err != nil || got != want {
			t.Errorf("%s: %d connections, %v; want %d", own, got, err, want)
		}
	}
}

// TestDestroyDropsQueuedAnswers is why a connection is destroyed even if the server has closed it.
func TestDestroyDropsQueuedAnswers(t *testing.T) {
	cell.Open(t)
	port, accepted := listen(t, "tcp4", "127.0.0.1:0")
	c := dial(t, net.Dialer{}, accepted, fmt.Sprintf("127.0.0.1:%d", port))
	must(t, c.server.SetWriteDeadline(time.Now().Add(100*time.Millisecond)))
	for err := error(nil); err == nil; { // Until the client's window and the server's queue are full.
		_, err = c.server.Write(make([]byte, 1<<16))
	}
	must(t, c.server.Close())
	n, err := Destroy(t.Context(), []uint16{port}, Keep{})
	must(t, err)
	if n != 1 {
		t.Errorf("reset %d, want 1", n)
	}
}

func BenchmarkDestroyNothingAmongHundred(b *testing.B) {
	cell.Open(b)
	port, accepted := listen(b, "tcp4", "127.0.0.1:0")
	for range 100 {
		dial(b, net.Dialer{}, accepted, fmt.Sprintf("127.0.0.1:%d", port))
	}
	keep := Keep{From: []netip.Addr{netip.MustParseAddr("127.0.0.1")}}
	for b.Loop() {
		if n, err := Destroy(b.Context(), []uint16{port}, keep); n != 0 || err != nil {
			b.Fatal(n, err)
		}
	}
}
