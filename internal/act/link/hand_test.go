package link

import (
	"context"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"redkeep/internal/stage/cell"
)

// testPatience bounds each wait for something that happens within milliseconds on an idle machine.
const testPatience = 5 * time.Second

var (
	own4, other4 = netip.MustParseAddr("10.77.0.1"), netip.MustParseAddr("10.77.0.2")
	own6         = netip.MustParseAddr("fe80::ff:fe00:1")
	vip4, vip6   = netip.MustParseAddr("10.77.0.100"), netip.MustParseAddr("fe80::100")
)

// alone makes a namespace with a cable from eth0 to eth1, for as long as the test takes. Neither is up.
func alone(t *testing.T) {
	t.Helper()
	cell.Open(t)
	cable(t)
}

func cable(t *testing.T) {
	t.Helper()
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.HardwareAddr = "eth0", []byte{2, 0, 0, 0, 0, 1}
	must(t, netlink.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: "eth1", PeerHardwareAddr: []byte{2, 0, 0, 0, 0, 2}}))
	must(t, os.WriteFile("/proc/sys/net/ipv6/conf/eth0/accept_dad", []byte("0"), 0o644))
}

func cidr(t *testing.T, addr netip.Addr, bits string) *netlink.Addr {
	t.Helper()
	a, err := netlink.ParseAddr(addr.String() + bits)
	must(t, err)
	a.Flags = unix.IFA_F_NODAD
	return a
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// follow runs a hand; what it tells arrives on the channel.
func follow(t *testing.T) <-chan Device {
	t.Helper()
	told := make(chan Device, 1024)
	h, err := Open(Config{Devices: []string{"eth0"}, Virtual: []netip.Addr{vip4, vip6}, Asked: []netip.Addr{other4, own4}, OnChange: func(d Device) { told <- d }})
	must(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }() // Ends with the context.
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-done:
			must(t, err)
		case <-time.After(testPatience):
			t.Error("Run did not end")
		}
		h.Close()
	})
	return told
}

// until waits for a device to be so.
func until(t *testing.T, told <-chan Device, what string, so func(Device) bool) Device {
	t.Helper()
	limit := time.After(testPatience)
	for {
		select {
		case d := <-told:
			if so(d) {
				return d
			}
		case <-limit:
			t.Fatalf("waited for %s", what)
		}
	}
}

func TestTellsWhatADeviceHas(t *testing.T) {
	alone(t)
	told := follow(t)
	first := until(t, told, "the first look", func(Device) bool { return true })
	if first.Up || first.Index != cell.Device(t, "eth0").Attrs().Index || first.IPv4.IsValid() || first.LinkLocal.IsValid() {
		t.Errorf("%+v", first)
	}
	// The address that is there before the host's own is no less virtual for it.
	cell.Address(t, "eth0", vip4.String()+"/32")
	cell.Address(t, "eth0", own4.String()+"/24")
	cell.Address(t, "eth0", other4.String()+"/24")
	cell.Raise(t, "eth0")
	cell.Address(t, "eth0", vip6.String()+"/128")
	cell.Raise(t, "eth1")
	until(t, told, "all of it", func(d Device) bool { return d.Up && d.IPv4 == own4 && d.LinkLocal == own6 && d.Has == 0b11 })

	must(t, netlink.LinkSetDown(cell.Device(t, "eth1"))) // The cable's other end.
	until(t, told, "no carrier", func(d Device) bool { return !d.Up && d.IPv4 == own4 })
	cell.Raise(t, "eth1")
	until(t, told, "a carrier", func(d Device) bool { return d.Up })
	must(t, netlink.AddrDel(cell.Device(t, "eth0"), cidr(t, own4, "/24")))
	until(t, told, "another address, or none", func(d Device) bool { return d.IPv4 != own4 && d.Has&0b10 == 0 })
}

func TestTellsOfAnotherDeviceOfTheName(t *testing.T) {
	alone(t)
	told := follow(t)
	before := until(t, told, "the first look", func(Device) bool { return true })
	must(t, netlink.LinkDel(cell.Device(t, "eth0")))
	until(t, told, "its end", func(d Device) bool { return d.Index == 0 })
	cable(t)
	until(t, told, "another", func(d Device) bool { return d.Index != 0 && d.Index != before.Index })
}

// TestVirtualAddressesAreNoNews looks at what is filtered, since what is not told can't be waited for.
func TestVirtualAddressesAreNoNews(t *testing.T) {
	alone(t)
	told := follow(t)
	until(t, told, "the first look", func(Device) bool { return true })
	cell.Raise(t, "eth0")
	for range 5 {
		must(t, netlink.AddrReplace(cell.Device(t, "eth0"), cidr(t, vip4, "/32")))
	}
	must(t, netlink.AddrDel(cell.Device(t, "eth0"), cidr(t, vip4, "/32")))
	cell.Address(t, "eth0", own4.String()+"/24")
	until(t, told, "the last change", func(d Device) bool { return d.IPv4 == own4 })
	if n := len(told); n != 0 {
		t.Errorf("told %d times more", n)
	}
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
