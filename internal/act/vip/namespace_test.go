package vip

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"redkeep/internal/stage/cell"
	"redkeep/internal/stage/need"
)

const group = "orders"

var (
	vip4 = netip.MustParseAddr("10.77.0.100")
	vip6 = netip.MustParseAddr("fd77::100")
)

// testPatience bounds each wait for something that happens within milliseconds on an idle machine.
const testPatience = 5 * time.Second

// host is a namespace with one device, eth0, on the segment.
type host struct {
	*cell.Cell
	mac net.HardwareAddr
	// wire is the namespace with the bridge, where the other end of the cable is, port1 and so on.
	wire *cell.Cell
}

// segmentOf makes hosts on one bridge: 10.77.0.1 and fd77::1, and so on. The test's thread is in the first.
func segmentOf(t testing.TB, n int) []*host {
	t.Helper()
	wire := cell.Open(t)
	bridge := netlink.NewLinkAttrs()
	bridge.Name = "br0"
	must(t, netlink.LinkAdd(&netlink.Bridge{LinkAttrs: bridge}))
	cell.Raise(t, "br0")
	var hosts []*host
	for i := 1; i <= n; i++ {
		h := &host{Cell: wire.Another(), wire: wire}
		wire.Enter()
		attrs := netlink.NewLinkAttrs()
		attrs.Name, attrs.MasterIndex = fmt.Sprintf("port%d", i), cell.Device(t, "br0").Attrs().Index
		must(t, netlink.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: "eth0", PeerNamespace: netlink.NsFd(h.FD())}))
		cell.Raise(t, attrs.Name)
		h.Enter()
		cell.Address(t, "eth0", fmt.Sprintf("10.77.0.%d/24", i))
		cell.Address(t, "eth0", fmt.Sprintf("fd77::%d/64", i))
		cell.Raise(t, "eth0")
		h.mac = cell.Device(t, "eth0").Attrs().HardwareAddr
		hosts = append(hosts, h)
	}
	for i, h := range hosts {
		wire.Enter()
		await(t, "the wire's end", func() bool { return operational(fmt.Sprintf("port%d", i+1)) })
		h.Enter()
		await(t, "the host's end", func() bool { return operational("eth0") })
		await(t, "its address", func() bool { return listening(t, netip.MustParseAddr(fmt.Sprintf("fd77::%d", i+1))) })
	}
	hosts[0].Enter()
	return hosts
}

// operational reports whether a device carries frames. A carrier alone does not say so: the kernel sets up the queue of a device that has
// one, and has a bridge forward from it, from a queue of its own, and drops frames until then.
func operational(name string) bool {
	l, err := netlink.LinkByName(name)
	return err == nil && l.Attrs().OperState == netlink.OperUp
}

// listening reports whether the present host is in the group in which an IPv6 address of its is asked for (RFC 4291, section 2.7.1).
func listening(t testing.TB, addr netip.Addr) bool {
	t.Helper()
	groups, err := os.ReadFile("/proc/thread-self/net/igmp6")
	must(t, err)
	b := addr.As16()
	return strings.Contains(string(groups), fmt.Sprintf("ff0200000000000000000001ff%x", b[13:]))
}

// cache returns where the present host believes an address to be; "" for nowhere.
func cache(t testing.TB, addr netip.Addr) string {
	t.Helper()
	list, err := netlink.NeighList(0, family(addr))
	must(t, err)
	for _, n := range list {
		if ip, _ := netip.AddrFromSlice(n.IP); ip.Unmap() == addr {
			return n.HardwareAddr.String()
		}
	}
	return ""
}

func family(a netip.Addr) int {
	if a.Is6() {
		return unix.AF_INET6
	}
	return unix.AF_INET
}

// on returns the address as the present host has it, nil where it has not.
func on(t testing.TB, addr netip.Addr) *netlink.Addr {
	t.Helper()
	list, err := netlink.AddrList(nil, family(addr))
	must(t, err)
	for _, a := range list {
		if ip, _ := netip.AddrFromSlice(a.IP); ip.Unmap() == addr {
			return &a
		}
	}
	return nil
}

// await polls a condition that becomes true without us, for which the kernel has no notification that would not be what is
// tested.
func await(t testing.TB, what string, cond func() bool) time.Duration {
	t.Helper()
	begin := time.Now()
	tick := time.NewTicker(200 * time.Microsecond)
	defer tick.Stop()
	for !cond() {
		if time.Since(begin) > testPatience {
			t.Fatalf("waited %v for %s", testPatience, what)
		}
		<-tick.C
	}
	return time.Since(begin)
}

// ip runs the ip program in the present namespace.
func ip(t testing.TB, line string) string {
	t.Helper()
	path, err := exec.LookPath("ip")
	if err != nil {
		need.Program(t, "needs the ip program")
	}
	out, err := exec.Command(path, strings.Fields(line)...).CombinedOutput()
	if err != nil {
		t.Fatalf("ip %s: %v: %s", line, err, out)
	}
	return string(out)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// open opens a hand in the present namespace, and runs it; its events arrive on the channel.
func open(t testing.TB, addrs ...netip.Addr) (*Hand, <-chan Event) {
	t.Helper()
	var list []Address
	for _, a := range addrs {
		list = append(list, Address{Addr: a})
	}
	return openOn(t, list...)
}

// openOn is open with devices.
func openOn(t testing.TB, addrs ...Address) (*Hand, <-chan Event) {
	t.Helper()
	return openWith(t, Config{Addresses: addrs})
}

// openWith is open with more than that.
func openWith(t testing.TB, cfg Config) (*Hand, <-chan Event) {
	t.Helper()
	events := make(chan Event, 1024)
	cfg.Group, cfg.OnEvent = group, func(e Event) { events <- e }
	h, err := Open(cfg)
	must(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }() // Ends with the context.
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-done:
			must(t, errors.Join(err, h.Close()))
		case <-time.After(testPatience):
			t.Error("Run did not end")
		}
	})
	await(t, "Run", func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		return h.running
	})
	return h, events
}

// next waits for an event of a kind, and fails on others.
func next(t testing.TB, events <-chan Event, want Kind) Event {
	t.Helper()
	select {
	case e := <-events:
		if e.Kind != want {
			t.Fatalf("event %+v, want %v", e, want)
		}
		return e
	case <-time.After(testPatience):
		t.Fatalf("no event, want %v", want)
		return Event{}
	}
}

// quiet fails where an event has come.
func quiet(t testing.TB, events <-chan Event) {
	t.Helper()
	select {
	case e := <-events:
		t.Errorf("event %+v, want none", e)
	default:
	}
}

// both runs a test for each family.
func both(t *testing.T, f func(t *testing.T, addr netip.Addr)) {
	t.Run("IPv4", func(t *testing.T) { f(t, vip4) })
	t.Run("IPv6", func(t *testing.T) { f(t, vip6) })
}

// dialer gives up soon: what it is to cause is the question of who has the address.
func dialer() *net.Dialer { return &net.Dialer{Timeout: 100 * time.Millisecond} }

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
