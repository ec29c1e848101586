package main

import (
	"log/slog"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"redkeep/internal/speak/config"
	"redkeep/internal/words"
)

// strangers is a file of which this machine has no address.
func strangers(t *testing.T) *config.Config {
	t.Helper()
	c, err := config.Parse("x", 0o600, []byte("secret: a-shared-secret\nnodes: {h1: 203.0.113.1, h2: 203.0.113.2, h3: 203.0.113.3}\ngroups: {orders: {redis: 6379}}\n"), readFile)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestAgentWaitsForItsAddress is started before the network is up: systemd must not take that for a mistake in the file.
func TestAgentWaitsForItsAddress(t *testing.T) {
	c, log := strangers(t), slog.New(slog.DiscardHandler)
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		_, err := (&configFlags{}).awaitSelf(t.Context(), c, network{log: log})
		if code, _ := codeOf(err); code != exitFailed || time.Since(begun) != addressWait {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
		stop := make(chan struct{})
		close(stop)
		_, err = (&configFlags{}).awaitSelf(t.Context(), c, network{log: log, stop: stop})
		if code, has := codeOf(err); !has || code != exitDone {
			t.Errorf("stopped: %v", err)
		}
		begun = time.Now()
		if n, err := (&configFlags{node: "h2"}).awaitSelf(t.Context(), c, network{log: log}); n.Name != words.Node("h2") || err != nil {
			t.Errorf("%v, %v", n, err)
		}
		_, err = (&configFlags{node: "h4"}).awaitSelf(t.Context(), c, network{log: log})
		if code, _ := codeOf(err); code != exitUsage || time.Since(begun) != 0 {
			t.Errorf("no such node: %v after %v", err, time.Since(begun))
		}
	})
}

// TestAgentWaitsForItsInterfaces has a virtual address whose subnet comes later than the node's own address, as at boot.
func TestAgentWaitsForItsInterfaces(t *testing.T) {
	c, n := strangers(t), network{log: slog.New(slog.DiscardHandler)}
	c.Groups[0].VIPs = []config.VIP{{Addr: netip.MustParseAddr("203.0.113.100"), Dev: "none-such"}}
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		err := awaitDevices(t.Context(), c, "h1", n, past{age: time.Second})
		if code, _ := codeOf(err); code != exitFailed || time.Since(begun) != addressWait {
			t.Errorf("after a boot: %v after %v", err, time.Since(begun))
		}
		begun = time.Now()
		err = awaitDevices(t.Context(), c, "h1", n, past{age: booting})
		if code, _ := codeOf(err); code != exitUsage || time.Since(begun) != 0 {
			t.Errorf("long after: %v after %v", err, time.Since(begun))
		}
	})
}

// TestAgentWaitsForALostFamily is restarted long after the boot, while a pulled cable has taken the host's IPv6 away.
func TestAgentWaitsForALostFamily(t *testing.T) {
	c, n := strangers(t), network{log: slog.New(slog.DiscardHandler)}
	c.Groups[0].VIPs = []config.VIP{{Addr: netip.MustParseAddr("2001:db8::100")}}
	const plain, left = "203.0.113.1/24", "2001:db8::100/128"
	for name, test := range map[string]struct {
		has  []string
		ran  bool
		wait time.Duration
		code code
	}{
		"the cable is out":             {[]string{"127.0.0.1/8", "::1/128", plain, "fe80::1/64", left}, true, addressWait, exitFailed},
		"no agent has ever run":        {[]string{plain}, false, 0, exitUsage},
		"another subnet of its family": {[]string{plain, "2001:db8:1::1/64"}, true, 0, exitUsage},
	} {
		n.addresses = func() (list []net.Addr, err error) {
			for _, a := range test.has {
				p := netip.MustParsePrefix(a)
				list = append(list, &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())})
			}
			return list, nil
		}
		synctest.Test(t, func(t *testing.T) {
			begun := time.Now()
			err := awaitDevices(t.Context(), c, "h1", n, past{booting, test.ran})
			if code, _ := codeOf(err); code != test.code || time.Since(begun) != test.wait {
				t.Errorf("%s: %v after %v", name, err, time.Since(begun))
			}
		})
	}
}
