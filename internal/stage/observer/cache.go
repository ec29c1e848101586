package observer

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"redkeep/internal/stage"
	"redkeep/internal/stage/clock"
)

// Memory is what a host's neighbour cache says of an address from an instant on.
type Memory struct {
	// At is when the kernel's word was heard, some 0.1 ms after it was given.
	At clock.Instant
	// By is the host that the cache leads to, as in a Claim; empty where it leads nowhere.
	By string
}

// Cache follows what one host remembers of an address.
type Cache struct {
	address netip.Addr
	names   map[[6]byte]string
	end     chan struct{}
	once    sync.Once // closes end
	done    chan struct{}

	mu  sync.Mutex // guards log
	log []Memory
}

// discard is a port where nobody listens.
const discard = 9

// memories bounds the news that wait to be read.
const memories = 256

// Remember starts to follow the host's cache, after it has sent one datagram to the address: a host that never spoke to
// it has nothing to remember. What the kernel finds out then by itself takes a while: wait for By of Now. Stop must be called.
func Remember(s *stage.Stage, host *stage.Host, address netip.Addr) (*Cache, error) {
	c := &Cache{address: address, names: names(s), end: make(chan struct{}), done: make(chan struct{})}
	news := make(chan netlink.NeighUpdate, memories)
	var err error
	gone := host.Do(func() {
		// ListExisting asks for what is there in the same breath, so that nothing falls between the two.
		err = netlink.NeighSubscribeWithOptions(news, c.end, netlink.NeighSubscribeOptions{ListExisting: true, ErrorCallback: func(error) {}})
		if err == nil {
			err = greet(address)
		}
	})
	if err = errors.Join(gone, err); err != nil {
		close(c.end)
		return nil, fmt.Errorf("follow neighbour cache of %s: %w", host.Name(), err)
	}
	go c.follow(news) // ends at Stop, when the library closes the channel
	return c, nil
}

// greet sends a datagram from the calling thread's namespace.
func greet(address netip.Addr) error {
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(address, discard)))
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = conn.Write([]byte{0})
	return err
}

func (c *Cache) follow(news <-chan netlink.NeighUpdate) {
	defer close(c.done)
	for n := range news {
		now := clock.Now()
		if ip, ok := netip.AddrFromSlice(n.IP); !ok || ip.Unmap() != c.address {
			continue
		}
		by := ""
		const leads = unix.NUD_REACHABLE | unix.NUD_STALE | unix.NUD_DELAY | unix.NUD_PROBE | unix.NUD_PERMANENT
		if n.Type == unix.RTM_NEWNEIGH && n.State&leads != 0 && len(n.HardwareAddr) == 6 {
			var known bool
			if by, known = c.names[[6]byte(n.HardwareAddr)]; !known {
				by = n.HardwareAddr.String()
			}
		}
		c.mu.Lock()
		if last := len(c.log) - 1; last < 0 || c.log[last].By != by {
			c.log = append(c.log, Memory{At: now, By: by})
		}
		c.mu.Unlock()
	}
}

// Now returns what the host remembers.
func (c *Cache) Now() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.log) == 0 {
		return ""
	}
	return c.log[len(c.log)-1].By
}

// Learned returns since when the host has remembered that name without a break; false if it does not now.
func (c *Cache) Learned(by string) (clock.Instant, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.log) == 0 || c.log[len(c.log)-1].By != by {
		return 0, false
	}
	return c.log[len(c.log)-1].At, true
}

// Stop ends it and returns what was remembered, change by change. It may be called again.
func (c *Cache) Stop() []Memory {
	c.once.Do(func() { close(c.end) })
	<-c.done
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.log
}
