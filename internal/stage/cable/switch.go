package cable

import (
	"fmt"
	"net"
	"net/netip"
	"sync"

	"github.com/google/nftables"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"redkeep/internal/stage/namespace"
)

// Device is the name of every host's end of its cable.
const Device = "eth0"

const bridgeName = "switch"

// Switch is a bridge in a namespace of its own.
type Switch struct {
	mu     sync.Mutex // guards all below; held across netlink calls, which answer within milliseconds
	thread *namespace.Thread
	route  *netlink.Handle
	filter *nftables.Conn
	chain  *nftables.Chain
	bridge netlink.Link
}

// Open makes a switch without cables. Its Close must be called.
func Open() (*Switch, error) {
	thread, err := namespace.Open()
	if err != nil {
		return nil, err
	}
	s := &Switch{thread: thread}
	if gone := thread.Do(func() { err = s.connect() }); gone != nil {
		err = gone
	}
	if err == nil {
		err = s.addBridge()
	}
	if err == nil {
		err = s.addChain()
	}
	if err != nil {
		s.Close()
		return nil, fmt.Errorf("make switch: %w", err)
	}
	return s, nil
}

// connect opens the sockets through which the rest is done. They belong to the namespace of the thread that opens them.
func (s *Switch) connect() (err error) {
	if s.route, err = netlink.NewHandle(unix.NETLINK_ROUTE); err != nil {
		return fmt.Errorf("open route socket: %w", err)
	}
	if s.filter, err = nftables.New(nftables.AsLasting()); err != nil {
		return fmt.Errorf("open nftables socket: %w", err)
	}
	return nil
}

// addBridge makes the bridge. It floods multicasts (VRRP's) to all ports, as a plain switch does.
func (s *Switch) addBridge() error {
	attrs := netlink.NewLinkAttrs()
	attrs.Name = bridgeName
	flood := false
	if err := s.route.LinkAdd(&netlink.Bridge{LinkAttrs: attrs, MulticastSnooping: &flood}); err != nil {
		return fmt.Errorf("add bridge: %w", err)
	}
	bridge, err := s.route.LinkByName(bridgeName)
	if err != nil {
		return fmt.Errorf("find bridge: %w", err)
	}
	s.bridge = bridge
	if err := s.route.LinkSetUp(bridge); err != nil {
		return fmt.Errorf("raise bridge: %w", err)
	}
	return nil
}

// Plug lays a cable from the switch to a namespace, where it shows up as eth0 with the addresses, up. The port has the
// host's name. The hardware address follows from the first address, which must be IPv4, so that a host keeps its own
// through a reboot.
func (s *Switch) Plug(port string, host *namespace.Thread, addresses ...netip.Prefix) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	attrs := netlink.NewLinkAttrs()
	attrs.Name = port
	attrs.MasterIndex = s.bridge.Attrs().Index
	veth := netlink.NewVeth(attrs)
	veth.PeerName = Device
	veth.PeerNamespace = netlink.NsFd(host.FD())
	veth.PeerHardwareAddr = HardwareAddr(addresses[0].Addr())
	if err := s.route.LinkAdd(veth); err != nil {
		return fmt.Errorf("lay cable to %s: %w", port, err)
	}
	if err := s.route.LinkSetUp(veth); err != nil {
		return fmt.Errorf("raise port of %s: %w", port, err)
	}
	var err error
	if gone := host.Do(func() { err = raise(addresses) }); gone != nil {
		return gone
	}
	if err != nil {
		return fmt.Errorf("raise %s of %s: %w", Device, port, err)
	}
	return nil
}

// raise gives eth0 of the calling thread's namespace its addresses and brings it up.
func raise(addresses []netip.Prefix) error {
	route, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return fmt.Errorf("open route socket: %w", err)
	}
	defer route.Close()
	link, err := route.LinkByName(Device)
	if err != nil {
		return fmt.Errorf("find it: %w", err)
	}
	for _, address := range addresses {
		ipnet := &net.IPNet{IP: address.Addr().AsSlice(), Mask: net.CIDRMask(address.Bits(), address.Addr().BitLen())}
		one := &netlink.Addr{IPNet: ipnet}
		if address.Addr().Is6() {
			// The search for somebody who has it already would take a second, and nobody has.
			one.Flags = unix.IFA_F_NODAD
		}
		if err := route.AddrAdd(link, one); err != nil {
			return fmt.Errorf("add %s: %w", address, err)
		}
	}
	return route.LinkSetUp(link)
}

// HardwareAddr returns the locally administered address that a host with this IPv4 address has.
func HardwareAddr(address netip.Addr) net.HardwareAddr {
	four := address.As4()
	return append(net.HardwareAddr{0x02, 0x00}, four[:]...)
}

// Darken takes the carrier from the host's end, as a host without power does to its port.
func (s *Switch) Darken(port string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	link, err := s.route.LinkByName(port)
	if err != nil {
		return fmt.Errorf("find port of %s: %w", port, err)
	}
	if err := s.route.LinkSetDown(link); err != nil {
		return fmt.Errorf("lower port of %s: %w", port, err)
	}
	return nil
}

// Unplug takes the cable away, both ends.
func (s *Switch) Unplug(port string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	link, err := s.route.LinkByName(port)
	if err != nil {
		return fmt.Errorf("find port of %s: %w", port, err)
	}
	if err := s.route.LinkDel(link); err != nil {
		return fmt.Errorf("take cable from %s: %w", port, err)
	}
	return nil
}

// Close takes the switch away, with all cables.
func (s *Switch) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.filter != nil {
		s.filter.CloseLasting()
	}
	if s.route != nil {
		s.route.Close()
	}
	s.thread.Close()
}
