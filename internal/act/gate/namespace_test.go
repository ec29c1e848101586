package gate

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/netip"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"redkeep/internal/stage/cell"
)

// jiffies is the lateness that the design allows the kernel's end of an element: three of 4 ms, where HZ is 250.
const jiffies = 12 * time.Millisecond

// patience bounds each wait for a packet. It outlasts a first SYN that was lost while the cable came up.
const patience = 10 * time.Second

// neighbour makes a second namespace, joined to the present one by a cable: 10.52.0.1 and fd52::1 here, 2 there. It returns
// a function that runs another one there.
func neighbour(t testing.TB, here *cell.Cell) (there func(func())) {
	t.Helper()
	other := here.Another()
	here.Enter()
	attrs := netlink.NewLinkAttrs()
	attrs.Name = "here0"
	must(t, netlink.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: "there0", PeerNamespace: netlink.NsFd(other.FD())}))
	there = other.Do
	cell.Raise(t, "here0")
	there(func() { cell.Raise(t, "there0") })
	// An IPv6 address that comes before the cable is up stays unusable until the kernel notices that it is.
	settled(t, "here0")
	there(func() { settled(t, "there0") })
	for _, cidr := range []string{"10.52.0.1/24", "fd52::1/64", "fe80::52:1/64"} {
		address(t, "here0", cidr)
	}
	there(func() {
		for _, cidr := range []string{"10.52.0.2/24", "fd52::2/64", "fe80::52:2/64"} {
			address(t, "there0", cidr)
		}
	})
	return there
}

// address adds an address that need not be tried first, and waits for it: even so the kernel makes an IPv6 address usable
// from a work queue, and what is sent to it meanwhile goes out to the cable.
func address(t testing.TB, name, cidr string) {
	t.Helper()
	addr, err := netlink.ParseAddr(cidr)
	must(t, err)
	cell.Address(t, name, cidr)
	await(t, cidr+" did not become this host's own", func() bool {
		all, err := netlink.RouteGet(addr.IP)
		return err == nil && len(all) > 0 && all[0].Type == unix.RTN_LOCAL
	})
}

// await looks again and again.
func await(t testing.TB, otherwise string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for limit := time.Now().Add(patience); time.Now().Before(limit); <-tick.C {
		if done() {
			return
		}
	}
	t.Fatal(otherwise)
}

// route is a way to the server of a test: where the client is, and by which of this host's addresses it connects.
type route struct {
	name, address string
	far           bool
}

// routes are all kinds of them; a server on [::]:0 is reached by each.
var routes = []route{
	{"loopback", "127.0.0.1", false}, {"own address", "10.52.0.1", false}, {"another host", "10.52.0.1", true},
	{"loopback6", "::1", false}, {"own address6", "fd52::1", false}, {"another host6", "fd52::1", true},
	{"own link-local", "fe80::52:1%here0", false}, {"another host's link-local", "fe80::52:1%there0", true},
	{"mapped", "::ffff:10.52.0.1", true},
}

// dial connects by the route, with a mark (0 for none).
func (r route) dial(there func(func()), port uint16, mark uint32) (c net.Conn, err error) {
	connect := func() { c, err = dial(net.JoinHostPort(r.address, strconv.Itoa(int(port))), mark) }
	if r.far {
		there(connect)
	} else {
		connect()
	}
	return c, err
}

// try connects by the route, says one line and closes.
func (r route) try(there func(func()), port uint16, mark uint32) error {
	c, err := r.dial(there, port, mark)
	if err != nil {
		return err
	}
	return errors.Join(say(c, "hello"), c.Close())
}

// settled waits until the kernel takes a device for usable.
func settled(t testing.TB, name string) {
	t.Helper()
	await(t, name+" did not come up", func() bool {
		link, err := netlink.LinkByName(name)
		return err == nil && link.Attrs().OperState == netlink.OperUp
	})
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// echo is a server that answers each line with itself. While hold is unread, it does not read.
type echo struct {
	ln   net.Listener
	port uint16
	conn chan net.Conn // Accepted connections, once each; read when hold is set.
}

// serve starts an echo server; with stopped, accepted connections are handed over instead of served.
func serve(t testing.TB, addr string, stopped bool) *echo {
	t.Helper()
	ln, err := net.Listen("tcp", addr)
	must(t, err)
	e := &echo{ln: ln, port: netip.MustParseAddrPort(ln.Addr().String()).Port(), conn: make(chan net.Conn, 16)}
	t.Cleanup(func() { must(t, ln.Close()) })
	go func() { // Ends when the listener closes.
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			if stopped {
				e.conn <- c
				continue
			}
			go copyAll(c)
		}
	}()
	return e
}

// copyAll serves one connection until it ends.
func copyAll(c net.Conn) {
	_, err := io.Copy(c, c)
	_ = errors.Join(err, c.Close())
}

// dial connects with a mark (0 for none) and fails after some patience.
func dial(addr string, mark uint32) (net.Conn, error) {
	d := net.Dialer{Timeout: patience}
	if mark != 0 {
		d.Control = func(_, _ string, rc syscall.RawConn) error {
			var err error
			return errors.Join(rc.Control(func(fd uintptr) {
				err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_MARK, int(mark))
			}), err)
		}
	}
	return d.Dial("tcp", addr)
}

// say sends a line and waits for its echo.
func say(c net.Conn, line string) error {
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if _, err := io.WriteString(c, line+"\n"); err != nil {
		return err
	}
	got, err := bufio.NewReader(c).ReadString('\n')
	if err == nil && got != line+"\n" {
		err = errors.New("answered " + got)
	}
	return err
}

// try connects, says one line and closes.
func try(addr string, mark uint32) error {
	c, err := dial(addr, mark)
	if err != nil {
		return err
	}
	return errors.Join(say(c, "hello"), c.Close())
}

// hand opens a gate in the present namespace.
func hand(t testing.TB, cfg Config) *Hand {
	t.Helper()
	h, err := Open(t.Context(), cfg)
	must(t, err)
	t.Cleanup(func() { _ = h.Close() })
	return h
}

func wantRefused(t testing.TB, err error) {
	t.Helper()
	if !errors.Is(err, unix.ECONNREFUSED) && !errors.Is(err, unix.ECONNRESET) {
		t.Errorf("got %v, want a reset", err)
	}
}
