package advertise

import (
	"errors"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"

	"redkeep/internal/speak/advert"
)

const (
	// hops is the TTL that shows a receiver that nobody routed an advertisement.
	hops = 255
	// tos is the precedence of internetwork control, in IPv6 the traffic class; priority is what the device's queue makes of it, the
	// highest that needs no further right.
	tos      = 0xc0
	priority = 6
	// receiveBuffer is for bursts; a router says a few dozen bytes each interval.
	receiveBuffer = 256 << 10
)

// socket opens a raw socket for one device, and returns the device's number.
func socket(cfg Config) (fd, index int, err error) {
	family := unix.AF_INET
	if cfg.IPv6 {
		family = unix.AF_INET6
	}
	fd, err = unix.Socket(family, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, advert.Protocol)
	if err != nil {
		return -1, 0, os.NewSyscallError("socket", err)
	}
	if index, err = bind(fd, cfg.Dev); err == nil {
		if cfg.IPv6 {
			err = configure6(fd, index, cfg.Groups)
		} else {
			err = configure4(fd, index, cfg.Groups)
		}
	}
	if err != nil {
		return -1, 0, errors.Join(err, unix.Close(fd))
	}
	return fd, index, nil
}

// bind keeps the socket to one device. It is not bound to an address: that would shut the group out.
func bind(fd int, dev string) (index int, err error) {
	request, err := unix.NewIfreq(dev)
	if err != nil {
		return 0, unix.ENODEV // The name is too long for a device.
	}
	if err := unix.IoctlIfreq(fd, unix.SIOCGIFINDEX, request); err != nil {
		return 0, os.NewSyscallError("ioctl SIOCGIFINDEX", err)
	}
	if err := unix.SetsockoptString(fd, unix.SOL_SOCKET, unix.SO_BINDTODEVICE, dev); err != nil {
		return 0, os.NewSyscallError("setsockopt SO_BINDTODEVICE", err)
	}
	return int(request.Uint32()), errors.Join(
		option(fd, unix.SOL_SOCKET, unix.SO_PRIORITY, priority),
		option(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, receiveBuffer),
	)
}

func configure4(fd, index int, groups []netip.Addr) error {
	errs := []error{
		option(fd, unix.SOL_IP, unix.IP_TTL, hops),
		option(fd, unix.SOL_IP, unix.IP_MULTICAST_TTL, hops),
		option(fd, unix.SOL_IP, unix.IP_MULTICAST_LOOP, 0),
		option(fd, unix.SOL_IP, unix.IP_MULTICAST_ALL, 0), // Else groups that others on this host joined are heard.
		option(fd, unix.SOL_IP, unix.IP_TOS, tos),
	}
	for _, g := range groups {
		request := &unix.IPMreqn{Multiaddr: g.As4(), Ifindex: int32(index)}
		errs = append(errs, os.NewSyscallError("setsockopt IP_ADD_MEMBERSHIP", unix.SetsockoptIPMreqn(fd, unix.SOL_IP, unix.IP_ADD_MEMBERSHIP, request)))
	}
	return errors.Join(errs...)
}

func configure6(fd, index int, groups []netip.Addr) error {
	errs := []error{
		option(fd, unix.SOL_IPV6, unix.IPV6_UNICAST_HOPS, hops),
		option(fd, unix.SOL_IPV6, unix.IPV6_MULTICAST_HOPS, hops),
		option(fd, unix.SOL_IPV6, unix.IPV6_MULTICAST_LOOP, 0),
		option(fd, unix.SOL_IPV6, unix.IPV6_TCLASS, tos),
		option(fd, unix.SOL_IPV6, unix.IPV6_RECVPKTINFO, 1),
		option(fd, unix.SOL_IPV6, unix.IPV6_RECVHOPLIMIT, 1),
	}
	_ = option(fd, unix.SOL_IPV6, unix.IPV6_MULTICAST_ALL, 0) // Since Linux 4.20; what it keeps out, decide/vrrp drops.
	for _, g := range groups {
		request := &unix.IPv6Mreq{Multiaddr: g.As16(), Interface: uint32(index)}
		errs = append(errs, os.NewSyscallError("setsockopt IPV6_JOIN_GROUP", unix.SetsockoptIPv6Mreq(fd, unix.SOL_IPV6, unix.IPV6_JOIN_GROUP, request)))
	}
	return errors.Join(errs...)
}

func option(fd, level, name, value int) error {
	return os.NewSyscallError("setsockopt", unix.SetsockoptInt(fd, level, name, value))
}
