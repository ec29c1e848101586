package cell

import (
	"os"
	"runtime"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"redkeep/internal/stage/need"
)

// Test is what is needed of a testing.TB.
type Test interface {
	need.Test
	Cleanup(f func())
}

// Cell is a network namespace.
type Cell struct {
	t  Test
	ns *os.File
	// home is where the test's thread comes from.
	home *Cell
}

// self names the calling thread's network namespace.
const self = "/proc/thread-self/ns/net"

// Open takes the test's thread into a new namespace, whose loopback is up, until the test ends. Without the right to do so the test ends at once.
func Open(t Test) *Cell {
	t.Helper()
	if os.Getuid() != 0 {
		need.Right(t, "network namespaces need root")
	}
	runtime.LockOSThread()
	home := present(t)
	home.home = home
	t.Cleanup(func() {
		home.Leave()
		must(t, home.ns.Close())
	})
	return home.Another()
}

// Leave takes the test's thread to where it came from, and gives it back, before the test's end: for a measurement, of which the turns of a locked thread
// would be most. Sockets that were opened before stay where they are.
func (c *Cell) Leave() {
	// A thread that cannot return must not be used again: left locked, it ends with the goroutine.
	if c.home.set() == nil {
		runtime.UnlockOSThread()
	}
}

// present is the namespace in which the test's thread is.
func present(t Test) *Cell {
	t.Helper()
	ns, err := os.Open(self)
	must(t, err)
	return &Cell{t: t, ns: ns}
}

// Another takes the test's thread into one more namespace.
func (c *Cell) Another() *Cell {
	c.t.Helper()
	must(c.t, os.NewSyscallError("unshare", unix.Unshare(unix.CLONE_NEWNET)))
	made := present(c.t)
	made.home = c.home
	c.t.Cleanup(func() { must(c.t, made.ns.Close()) })
	Raise(c.t, "lo")
	return made
}

// Enter takes the test's thread into the namespace. Sockets that were opened before stay where they are.
func (c *Cell) Enter() {
	c.t.Helper()
	must(c.t, c.set())
}

func (c *Cell) set() error {
	return os.NewSyscallError("setns", unix.Setns(c.FD(), unix.CLONE_NEWNET))
}

// Do runs a function in the namespace, and takes the thread back to where it was.
func (c *Cell) Do(f func()) {
	c.t.Helper()
	here := present(c.t)
	c.Enter()
	defer func() {
		here.Enter()
		must(c.t, here.ns.Close())
	}()
	f()
}

// FD is a descriptor of the namespace, for who moves a device into it.
func (c *Cell) FD() int { return int(c.ns.Fd()) }

// Device is one of the present namespace's.
func Device(t Test, name string) netlink.Link {
	t.Helper()
	l, err := netlink.LinkByName(name)
	must(t, err)
	return l
}

// Raise has devices of the present namespace up.
func Raise(t Test, names ...string) {
	t.Helper()
	for _, name := range names {
		must(t, netlink.LinkSetUp(Device(t, name)))
	}
}

// Address gives a device of the present namespace an address, "10.0.0.1/24". Nobody else can have it: of IPv6 it is used at once.
func Address(t Test, dev, cidr string) {
	t.Helper()
	addr, err := netlink.ParseAddr(cidr)
	must(t, err)
	if addr.IP.To4() == nil {
		addr.Flags = unix.IFA_F_NODAD
	}
	must(t, netlink.AddrAdd(Device(t, dev), addr))
}

func must(t Test, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
