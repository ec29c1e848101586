package vip

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// proto marks our addresses in `ip -d address`, as keepalived marks its own: 82, an R. Kernels before 5.18 ignore it;
// then only the address itself tells a leftover.
const proto = 82

// attrProto is IFA_PROTO, which the system's constants lack.
const attrProto = 11

// patience bounds each wait for the kernel's answer, which it has ready once it has taken its routing lock. That it waits for in the
// sending, beyond any bound of ours; programs that hold it do so for milliseconds.
var patience = unix.Timeval{Sec: 1}

// kernel is rtnetlink: one connection for what we ask, one for lists, one for what it tells. The library's own calls for
// addresses write no protocol, and its subscriptions drop the requester, so its messages and sockets are used here.
type kernel struct {
	orders nl.SocketHandle
	port   uint32 // The number of our orders' connection, which notifications of IPv4 carry.
	lists  *netlink.Handle
	news   *nl.NetlinkSocket
}

// newsBuffer holds, in bytes, what the kernel tells while we do not read: some thousands of changes.
const newsBuffer = 1 << 20

// connect opens the connections in the present network namespace. Notifications are of devices and of these addresses.
func connect(addrs []Address) (*kernel, error) {
	k := &kernel{}
	orders, err := nl.Subscribe(unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("connect to rtnetlink: %w", err)
	}
	k.orders.Socket = orders
	_ = errors.Join(orders.SetSendTimeout(&patience), orders.SetReceiveTimeout(&patience)) // These store a number.
	if k.port, err = orders.GetPid(); err == nil {
		k.lists, err = netlink.NewHandle(unix.NETLINK_ROUTE)
	}
	if err == nil {
		k.news, err = nl.Subscribe(unix.NETLINK_ROUTE, unix.RTNLGRP_LINK, unix.RTNLGRP_IPV4_IFADDR, unix.RTNLGRP_IPV6_IFADDR)
	}
	if err == nil && k.news.SetReceiveBufferSize(newsBuffer, true) != nil {
		err = k.news.SetReceiveBufferSize(newsBuffer, false) // Up to the system's limit, without CAP_NET_ADMIN.
	}
	if err == nil {
		// On the socket before it is subscribed would be better, but the library does both at once; what comes before the
		// filter is read, and is no harm.
		err = overhear(k.news, addrs)
	}
	if err != nil {
		k.close()
		return nil, fmt.Errorf("connect to rtnetlink: %w", err)
	}
	return k, nil
}

func (k *kernel) close() {
	k.orders.Close()
	if k.lists != nil {
		k.lists.Close()
	}
	if k.news != nil {
		k.news.Close()
	}
}

// put gives a device an address for so many seconds, or renews it.
//
// It is a subnet of its own, unless its Form has one. An IPv6 address is used at once, without the kernel's own detection of duplicates (the probe is
// ours), and is never preferred: the kernel would else choose it, as the one with the longest common prefix, as the source
// of this host's own connections, which then break when it moves.
func (k *kernel) put(a *address, index, seconds int) error {
	preferred := seconds
	if a.Addr.Is6() {
		preferred = 0
	}
	head := header(a.Addr, a.own(index))
	head.Scope = a.Scope
	req := k.request(unix.RTM_NEWADDR, unix.NLM_F_CREATE|unix.NLM_F_REPLACE, a.Addr, head)
	kind := uint32(unix.IFA_F_NODAD)
	if a.length == a.whole() || a.NoRoute {
		kind |= unix.IFA_F_NOPREFIXROUTE
	}
	flags := binary.NativeEndian.AppendUint32(nil, kind)
	life := nl.IfaCacheInfo{IfaCacheinfo: unix.IfaCacheinfo{Valid: uint32(seconds), Prefered: uint32(preferred)}}
	req.AddData(nl.NewRtAttr(unix.IFA_FLAGS, flags))
	req.AddData(nl.NewRtAttr(unix.IFA_CACHEINFO, life.Serialize()))
	req.AddData(nl.NewRtAttr(attrProto, []byte{proto}))
	if a.Label != "" {
		req.AddData(nl.NewRtAttr(unix.IFA_LABEL, nl.ZeroTerminated(a.Label)))
	}
	if a.Broadcast.Is4() {
		req.AddData(nl.NewRtAttr(unix.IFA_BROADCAST, a.Broadcast.AsSlice()))
	}
	_, err := req.Execute(unix.NETLINK_ROUTE, 0)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, unix.EINVAL) && a.Scope != 0 && a.length != a.whole():
		return fmt.Errorf("add %s: %w: the subnet's other addresses there have another scope; leave its scope out", a.Addr, err)
	default:
		return fmt.Errorf("add %s: %w", a.Addr, advise(err))
	}
}

// drop takes an address from a device, and reports whether it was there.
func (k *kernel) drop(addr netip.Addr, p place) (bool, error) {
	_, err := k.request(unix.RTM_DELADDR, 0, addr, header(addr, p)).Execute(unix.NETLINK_ROUTE, 0)
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, unix.EADDRNOTAVAIL), errors.Is(err, unix.ENODEV), errors.Is(err, unix.ENXIO):
		return false, nil
	default:
		return false, fmt.Errorf("delete %s: %w", addr, advise(err))
	}
}

// request begins a message about an address.
func (k *kernel) request(kind, flags int, addr netip.Addr, head *nl.IfAddrmsg) *nl.NetlinkRequest {
	req := nl.NewNetlinkRequest(kind, flags|unix.NLM_F_ACK)
	req.Sockets = map[int]*nl.SocketHandle{unix.NETLINK_ROUTE: &k.orders}
	req.AddData(head)
	req.AddData(nl.NewRtAttr(unix.IFA_LOCAL, addr.AsSlice()))
	req.AddData(nl.NewRtAttr(unix.IFA_ADDRESS, addr.AsSlice()))
	return req
}

// header says of which family an address is, and where.
func header(addr netip.Addr, p place) *nl.IfAddrmsg {
	family := unix.AF_INET
	if addr.Is6() {
		family = unix.AF_INET6
	}
	head := nl.NewIfAddrmsg(family)
	head.Index, head.Prefixlen = uint32(p.index), uint8(p.bits)
	return head
}

// advise adds what to do about an error of the kernel.
func advise(err error) error {
	switch {
	case errors.Is(err, unix.EPERM):
		return fmt.Errorf("%w; give the agent CAP_NET_ADMIN", err)
	case errors.Is(err, unix.EACCES): // It says this of nothing else.
		return fmt.Errorf("%w: IPv6 is off on the device; turn it on with sysctl net.ipv6.conf.DEVICE.disable_ipv6=0", err)
	case errors.Is(err, unix.EAGAIN):
		return fmt.Errorf("%w: no answer within %d s", err, patience.Sec)
	default:
		return err
	}
}
