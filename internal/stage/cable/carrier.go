package cable

import (
	"fmt"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"redkeep/internal/stage/namespace"
)

// carrierLimit bounds the wait for a cable to work. The kernel tells a device of its carrier from a queue that it may
// leave alone for a second.
const carrierLimit = 5 * time.Second

// Await waits until both ends of a cable carry frames. Until then they are dropped without a word; a lost question for
// a hardware address alone costs whoever asked a second.
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
			up, err = operational(route, Device)
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
