package cell

import (
	"os"
	"testing"

	"github.com/vishvananda/netlink"
)

// devices are the names of the present namespace's.
func devices(t *testing.T) (names []string) {
	t.Helper()
	all, err := netlink.LinkList()
	must(t, err)
	for _, one := range all {
		names = append(names, one.Attrs().Name)
	}
	return names
}

func where(t *testing.T) string {
	t.Helper()
	name, err := os.Readlink(self)
	must(t, err)
	return name
}

// TestTheThreadReturns from each namespace to where it was, and at the test's end to where it came from.
func TestTheThreadReturns(t *testing.T) {
	home := where(t)
	t.Cleanup(func() { // After those of the namespaces.
		if where(t) != home {
			t.Errorf("%s, not %s", where(t), home)
		}
	})
	first := Open(t)
	inside := where(t)
	second := first.Another()
	beyond := where(t)
	if home == inside || inside == beyond || home == beyond {
		t.Fatalf("%s, %s, %s", home, inside, beyond)
	}
	first.Do(func() {
		if where(t) != inside {
			t.Errorf("it was done in %s, not in %s", where(t), inside)
		}
		attrs := netlink.NewLinkAttrs()
		attrs.Name = "eth0"
		must(t, netlink.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: "eth1", PeerNamespace: netlink.NsFd(second.FD())}))
		Raise(t, "eth0")
		Address(t, "eth0", "10.0.0.1/24")
		Address(t, "eth0", "fd00::1/64")
		if list, err := netlink.AddrList(Device(t, "eth0"), netlink.FAMILY_ALL); err != nil || len(list) < 2 {
			t.Errorf("%v, %v", list, err)
		}
	})
	if where(t) != beyond || len(devices(t)) < 2 {
		t.Errorf("in %s with %v", where(t), devices(t))
	}
	first.Enter()
	if where(t) != inside {
		t.Errorf("entered %s", where(t))
	}
}
