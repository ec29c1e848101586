package vip

import (
	"errors"
	"net/netip"
	"testing"

	"redkeep/internal/stage/cell"
)

func indexOf(t testing.TB, name string) int {
	t.Helper()
	return cell.Device(t, name).Attrs().Index
}

func TestFindDevice(t *testing.T) {
	segmentOf(t, 1)
	for _, line := range []string{
		"link add wide0 type bridge", "link set wide0 up", "address add 10.77.5.1/16 dev wide0",
		"link add twin0 type bridge", "link set twin0 up", "address add 10.78.0.1/24 dev twin0 metric 200",
		"link add twin1 type bridge", "link set twin1 up", "address add 10.78.0.2/24 dev twin1 metric 100",
		"link add same0 type bridge", "link set same0 up", "address add 10.79.0.1/24 dev same0",
		"link add same1 type bridge", "link set same1 up", "address add 10.79.0.2/24 dev same1",
		"address add 10.80.0.9/32 dev eth0",
	} {
		ip(t, line)
	}
	for addr, want := range map[string]string{
		"10.77.0.100": "eth0", "fd77::100": "eth0", "10.77.9.9": "wide0", "10.78.0.7": "twin1", "10.79.0.7": "same0",
		"10.80.0.9": "", "192.0.2.1": "", "fd78::1": "", "fe80::1": "", "127.0.0.9": "lo",
	} {
		dev, err := FindDevice(netip.MustParseAddr(addr))
		if dev != want || (want == "") != errors.As(err, new(*NoSubnetError)) {
			t.Errorf("%s: %q, %v", addr, dev, err)
		}
	}
	must(t, HasDevice("eth0"))
	if err := HasDevice("eth9"); !errors.As(err, new(*NoDeviceError)) {
		t.Errorf("got %v", err)
	}
	for _, a := range [][]Address{
		{{Addr: vip4, Dev: "eth9"}}, {{Addr: netip.MustParseAddr("192.0.2.1")}}, {{Addr: vip4}, {Addr: netip.MustParseAddr("10.77.0.101")}}, {{}},
	} {
		h, err := Open(Config{Group: group, Addresses: a})
		t.Log(err)
		if h != nil || err == nil {
			t.Errorf("%v was opened", a)
		}
	}
}

func TestForeign(t *testing.T) {
	segmentOf(t, 1)
	for _, line := range []string{
		"address add 10.77.0.101/32 dev eth0", "address add 10.77.0.102/32 dev eth0 valid_lft 9 preferred_lft 9", "address add fd77::101/64 dev eth0",
	} {
		ip(t, line)
	}
	for addr, want := range map[string]string{"10.77.0.101": "eth0", "fd77::101": "eth0", "10.77.0.102": "", "10.77.0.103": ""} {
		if dev, err := Foreign(netip.MustParseAddr(addr)); dev != want || err != nil {
			t.Errorf("%s: %q, %v", addr, dev, err)
		}
	}
}
