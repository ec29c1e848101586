package advertise

import (
	"context"
	"errors"
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
const testPatience = 10 * time.Second

// The two ends of the cable; their link-local addresses are made of their hardware addresses.
var (
	here4, there4 = netip.MustParseAddr("10.77.0.1"), netip.MustParseAddr("10.77.0.2")
	here6, there6 = netip.MustParseAddr("fe80::ff:fe00:1"), netip.MustParseAddr("fe80::ff:fe00:2")
)

// twoHosts makes two namespaces with one device each, eth0, on a cable to the other's. The test's thread is in the first.
func twoHosts(t testing.TB) (here, there *cell.Cell) {
	t.Helper()
	there = cell.Open(t)
	here = there.Another()
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.HardwareAddr = "eth0", []byte{2, 0, 0, 0, 0, 1}
	must(t, netlink.LinkAdd(&netlink.Veth{
		LinkAttrs: attrs, PeerName: "eth0", PeerHardwareAddr: []byte{2, 0, 0, 0, 0, 2}, PeerNamespace: netlink.NsFd(there.FD()),
	}))
	there.Do(func() { configure(t, there4) })
	configure(t, here4)
	for _, h := range []*cell.Cell{there, here} {
		h.Enter()
		await(t, "a carrier and an IPv6 address", func() bool {
			link := cell.Device(t, "eth0")
			list, err := netlink.AddrList(link, unix.AF_INET6)
			return err == nil && len(list) == 1 && list[0].Flags&unix.IFA_F_TENTATIVE == 0 && link.Attrs().RawFlags&unix.IFF_LOWER_UP != 0
		})
	}
	return here, there
}

// configure sets up the present host's eth0. There is nobody whose IPv6 address it could be, so that is used at once.
func configure(t testing.TB, addr netip.Addr) {
	t.Helper()
	must(t, os.WriteFile("/proc/sys/net/ipv6/conf/eth0/accept_dad", []byte("0"), 0o644))
	cell.Address(t, "eth0", addr.String()+"/24")
	cell.Raise(t, "eth0")
}

// open opens a hand in the present namespace, and runs it; what it hears arrives on the channel.
func open(t testing.TB, six bool) (*Hand, <-chan Heard) {
	t.Helper()
	heard := make(chan Heard, 1024)
	h, err := Open(Config{Dev: "eth0", IPv6: six, OnHeard: func(e Heard) { heard <- e }})
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
	return h, heard
}

// next waits for what comes in.
func next(t testing.TB, heard <-chan Heard) Heard {
	t.Helper()
	select {
	case h := <-heard:
		return h
	case <-time.After(testPatience):
		t.Fatal("nothing was heard")
		return Heard{}
	}
}

// await polls a condition that becomes true without us.
func await(t testing.TB, what string, cond func() bool) {
	t.Helper()
	limit := time.After(testPatience)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !cond() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("waited %v for %s", testPatience, what)
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
