package vip

import (
	"math"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"redkeep/internal/stage/cell"
)

// as is what the kernel has of an address with a prefix, or nil.
func as(t *testing.T, cidr string) *netlink.Addr {
	t.Helper()
	want := netip.MustParsePrefix(cidr)
	list, err := netlink.AddrList(nil, unix.AF_INET)
	must(t, err)
	for _, a := range list {
		if ip, _ := netip.AddrFromSlice(a.IP); ip.Unmap() == want.Addr() && ones(a.IPNet) == want.Bits() {
			return &a
		}
	}
	return nil
}

// routed reports whether a device has the route of a subnet.
func routed(t *testing.T, cidr string) bool {
	t.Helper()
	routes, err := netlink.RouteList(nil, unix.AF_INET)
	must(t, err)
	for _, r := range routes {
		if r.Dst != nil && r.Dst.String() == netip.MustParsePrefix(cidr).Masked().String() {
			return true
		}
	}
	return false
}

// TestWithASubnet is an address as a keepalived puts it on: with the mask, the label and the broadcast address that it is written with. The host's own stays.
func TestWithASubnet(t *testing.T) {
	segmentOf(t, 1)
	form := Form{Bits: 24, Label: "eth0:vip", Broadcast: netip.MustParseAddr("10.77.0.255")}
	h, events := openOn(t, Address{Addr: vip4, Dev: "eth0", Form: form})
	for range 2 { // The second one renews it.
		must(t, h.Set(t.Context(), true, time.Minute))
		a := as(t, "10.77.0.100/24")
		if a == nil || a.Label != form.Label || a.Broadcast.String() != "10.77.0.255" || a.ValidLft > 60 || a.Flags&unix.IFA_F_SECONDARY == 0 {
			t.Fatalf("it is on as %+v", a)
		}
	}
	must(t, h.Set(t.Context(), false, 0))
	if as(t, "10.77.0.100/24") != nil || as(t, "10.77.0.1/24") == nil || !routed(t, "10.77.0.0/24") {
		t.Error("it is left, or the host's own has gone with it")
	}
	quiet(t, events)
}

// TestTheFirstOfItsSubnet brings the route there, and takes it along; one that an earlier process left does too.
func TestTheFirstOfItsSubnet(t *testing.T) {
	segmentOf(t, 1)
	gateway := Address{Addr: netip.MustParseAddr("192.168.5.1"), Dev: "eth0", Form: Form{Bits: 24}}
	leave(t, gateway)
	if !routed(t, "192.168.5.0/24") {
		t.Error("its subnet has no route")
	}
	h, _ := openOn(t, gateway)
	must(t, h.Set(t.Context(), false, 0))
	if as(t, "192.168.5.1/24") != nil || routed(t, "192.168.5.0/24") {
		t.Error("it is left")
	}
	gateway.Addr, gateway.NoRoute = netip.MustParseAddr("192.168.6.1"), true
	h, _ = openOn(t, gateway)
	must(t, h.Set(t.Context(), true, time.Minute))
	if as(t, "192.168.6.1/24") == nil || routed(t, "192.168.6.0/24") {
		t.Error("it brings a route that it should not")
	}
}

// TestScope is one address' alone: within a subnet the kernel refuses two.
func TestScope(t *testing.T) {
	segmentOf(t, 1)
	h, _ := openOn(t, Address{Addr: vip4, Dev: "eth0", Form: Form{Scope: 253}})
	must(t, h.Set(t.Context(), true, time.Minute))
	if a := as(t, "10.77.0.100/32"); a == nil || a.Scope != 253 {
		t.Errorf("it is on as %+v", a)
	}
	h, _ = openOn(t, Address{Addr: vip4.Next(), Dev: "eth0", Form: Form{Bits: 24, Scope: 253}})
	if err := h.Set(t.Context(), true, time.Minute); err == nil || !strings.Contains(err.Error(), "leave its scope out") {
		t.Errorf("beside another scope: %v", err)
	}
}

// TestTheHostsOwnIsNotTaken is the owner of an address, whose own it is for good: that gets no life, and stays when the virtual one goes.
func TestTheHostsOwnIsNotTaken(t *testing.T) {
	segmentOf(t, 1)
	h, _ := openOn(t, Address{Addr: netip.MustParseAddr("10.77.0.1"), Dev: "eth0", Form: Form{Bits: 24}})
	whole := func(what string) {
		t.Helper()
		if a := as(t, "10.77.0.1/24"); a == nil || uint32(a.ValidLft) != math.MaxUint32 {
			t.Fatalf("%s: the host's own is %+v", what, a)
		}
	}
	must(t, h.Set(t.Context(), false, 0))
	whole("set down")
	must(t, h.Set(t.Context(), true, time.Minute))
	whole("set up")
	if as(t, "10.77.0.1/32") == nil {
		t.Error("the virtual one is not on")
	}
	must(t, h.Set(t.Context(), false, 0))
	whole("set down again")
	if as(t, "10.77.0.1/32") != nil {
		t.Error("the virtual one is left")
	}
}

// TestWithASubnetItIsPutBack is what others do to such an address.
func TestWithASubnetItIsPutBack(t *testing.T) {
	segmentOf(t, 1)
	h, events := openOn(t, Address{Addr: vip4, Dev: "eth0", Form: Form{Bits: 24}})
	must(t, h.Set(t.Context(), true, time.Minute))
	l := cell.Device(t, "eth0")
	a, err := netlink.ParseAddr("10.77.0.100/24")
	must(t, err)
	must(t, netlink.AddrDel(l, a))
	if e := next(t, events, Deleted); e.Err != nil {
		t.Error(e)
	}
	if as(t, "10.77.0.100/24") == nil || as(t, "10.77.0.100/32") != nil {
		t.Error("it is not put back as it was")
	}
	must(t, h.Set(t.Context(), false, 0))
	must(t, netlink.AddrAdd(l, a))
	next(t, events, Added)
	await(t, "its end", func() bool { return as(t, "10.77.0.100/24") == nil })
}
