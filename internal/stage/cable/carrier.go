package cable

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"redkeep/internal/speak/neighbour"
	"redkeep/internal/stage/namespace"
)

// carrierLimit bounds the wait for a cable to work. The kernel tells a device of its carrier from a queue that it may
// leave alone for a second.
const carrierLimit = 5 * time.Second

// Await waits until both ends of a cable carry frames, and until the host hears who asks for its IPv6 addresses. Until then they are dropped
// without a word; a lost question for a hardware address alone costs whoever asked a second.
func (s *Switch) Await(port string, host *namespace.Thread) error {
	limit := time.NewTimer(carrierLimit)
	defer limit.Stop()
	again := time.NewTicker(time.Millisecond)
	defer again.Stop()
	for {
		up, err := s.carries(port, host)
		if err != nil {
			return fmt.Errorf("await carrier of %s: %w", port, err)
		}
		if up {
			return nil
		}
		select {
		case <-again.C:
		case <-limit.C:
			return fmt.Errorf("await carrier of %s: none after %v", port, carrierLimit)
		}
	}
}

func (s *Switch) carries(port string, host *namespace.Thread) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	up, err := operational(s.route, port)
	if !up || err != nil {
		return false, err
	}
	gone := host.Do(func() {
		var route *netlink.Handle
		if route, err = netlink.NewHandle(unix.NETLINK_ROUTE); err == nil {
			defer route.Close()
			if up, err = operational(route, Device); up && err == nil {
				up, err = joined(route)
			}
		}
	})
	if gone != nil {
		return false, gone
	}
	return up, err
}

func operational(route *netlink.Handle, device string) (bool, error) {
	link, err := route.LinkByName(device)
	if err != nil {
		return false, fmt.Errorf("find %s: %w", device, err)
	}
	return link.Attrs().OperState == netlink.OperUp, nil
}

// joined reports whether the host of the present thread is in the group in which each of its IPv6 addresses is asked for (RFC 4291, section
// 2.7.1). The kernel joins that from a queue, also for an address which it does not look for duplicates of; the address can be used before.
func joined(route *netlink.Handle) (bool, error) {
	link, err := route.LinkByName(Device)
	if err != nil {
		return false, fmt.Errorf("find %s: %w", Device, err)
	}
	list, err := route.AddrList(link, netlink.FAMILY_V6)
	if errors.Is(err, netlink.ErrDumpInterrupted) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("list addresses of %s: %w", Device, err)
	}
	groups, err := os.ReadFile("/proc/thread-self/net/igmp6")
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil // a kernel without IPv6
	}
	if err != nil {
		return false, fmt.Errorf("list groups of %s: %w", Device, err)
	}
	for _, a := range list {
		if a.Scope == unix.RT_SCOPE_UNIVERSE && !bytes.Contains(groups, solicited(a.IP)) {
			return false, nil
		}
	}
	return true, nil
}

// solicited is the group in which an address is asked for, as the kernel lists it.
func solicited(address net.IP) []byte {
	addr, _ := netip.AddrFromSlice(address.To16())
	group := neighbour.Solicited(addr).As16()
	return hex.AppendEncode(nil, group[:])
}
