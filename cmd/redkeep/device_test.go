package main

import (
	"net/netip"
	"testing"
)

// TestReserved asks for the addresses that stand for a subnet, and for their neighbours.
func TestReserved(t *testing.T) {
	for _, test := range []struct {
		subnet, addr string
		want         bool
	}{
		{"10.77.0.11/24", "10.77.0.0", true},
		{"10.77.0.11/24", "10.77.0.255", true},
		{"10.77.0.11/24", "10.77.0.1", false},
		{"10.77.0.11/24", "10.77.0.254", false},
		{"10.77.0.11/16", "10.77.0.255", false},
		{"10.77.0.11/24", "10.78.0.255", false},
		{"10.77.0.10/31", "10.77.0.11", false},
		{"10.77.0.100/32", "10.77.0.100", false},
		{"fd77::11/64", "fd77::", false},
		{"0.0.0.0/0", "10.77.0.255", false},
	} {
		if got := reserved(netip.MustParsePrefix(test.subnet), netip.MustParseAddr(test.addr)); got != test.want {
			t.Errorf("%s in %s: %v", test.addr, test.subnet, got)
		}
	}
}

// TestHosts tells a host's own address from one that is there beside it, as keepalived's is.
func TestHosts(t *testing.T) {
	addr := netip.MustParseAddr("10.77.0.100")
	for _, test := range []struct {
		list []string
		want bool
	}{
		{[]string{"127.0.0.1/8", "10.77.0.100/24"}, true},
		{[]string{"10.77.0.100/24", "10.78.0.11/24"}, true},
		{[]string{"10.77.0.11/24", "10.77.0.100/24"}, false},
		{[]string{"10.77.0.100/24", "10.77.0.11/16"}, false},
		{[]string{"10.77.0.11/24", "10.77.0.100/32"}, false},
		{[]string{"10.77.0.11/24"}, false},
		{[]string{"10.77.0.100/32"}, false},
	} {
		var list []netip.Prefix
		for _, p := range test.list {
			list = append(list, netip.MustParsePrefix(p))
		}
		if got := hosts(list, addr); got != test.want {
			t.Errorf("%v: %v", test.list, got)
		}
	}
}
