package advertise

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"redkeep/internal/speak/advert"
)

// Config is what a Hand is opened with.
type Config struct {
	// Dev is the device. IPv6 is the family.
	Dev  string
	IPv6 bool
	// Groups are listened to; the family's own where there are none. Whoever speaks to peers alone listens too: a router that does
	// not is a mistake that somebody should be told of.
	Groups []netip.Addr
	// OnHeard is called from Run's goroutine with what came in. It must not wait.
	OnHeard func(Heard)
}

// Heard is one advertisement that came in.
type Heard struct {
	// From and To have no zone.
	From, To netip.Addr
	// Hops is the TTL or hop limit that was left.
	Hops int
	// Advert is what could be read, Err an *advert.Flaw if that is not all.
	Advert advert.Advert
	Err    error
}

// Hand is one device and family.
type Hand struct {
	cfg   Config
	index int
	file  *os.File
	conn  syscall.RawConn
	// closed tells Run why it can't receive any more: the error of the runtime does not match os.ErrClosed.
	closed atomic.Bool

	// mu guards what one sending needs, and is held across it; the kernel takes a datagram at once or not at all.
	mu      sync.Mutex
	message []byte
	control []byte // The source, for the kernel, and behind bare the hops.
	bare    int
	sent    []byte // As much of control as the present sending needs.
	to4     unix.SockaddrInet4
	to6     unix.SockaddrInet6
	to      unix.Sockaddr
	failed  error
	post    func(fd uintptr)
}

// Open makes the socket in the present thread's network namespace, and joins the groups. Nothing is sent. An error is one of the
// kernel's, with what to do where that is known.
func Open(cfg Config) (*Hand, error) {
	if len(cfg.Groups) == 0 {
		cfg.Groups = []netip.Addr{advert.Group4()}
		if cfg.IPv6 {
			cfg.Groups = []netip.Addr{advert.Group6()}
		}
	}
	if cfg.OnHeard == nil {
		cfg.OnHeard = func(Heard) {}
	}
	fd, index, err := socket(cfg)
	if err != nil {
		return nil, fmt.Errorf("open VRRP on %s: %w", cfg.Dev, advise(err))
	}
	h := &Hand{cfg: cfg, index: index, file: os.NewFile(uintptr(fd), "vrrp "+cfg.Dev), message: make([]byte, 0, advert.MaxLength)}
	h.post = h.postNow
	h.prepare()
	if h.conn, err = h.file.SyscallConn(); err != nil {
		return nil, fmt.Errorf("open VRRP on %s: %w", cfg.Dev, errors.Join(err, h.file.Close()))
	}
	return h, nil
}

// prepare makes what each sending has in common.
func (h *Hand) prepare() {
	level, kind := unix.SOL_IP, unix.IP_TTL
	if h.cfg.IPv6 {
		h.control = unix.PktInfo6(&unix.Inet6Pktinfo{Ifindex: uint32(h.index)})
		h.to6.ZoneId = uint32(h.index)
		h.to = &h.to6
		level, kind = unix.SOL_IPV6, unix.IPV6_HOPLIMIT
	} else {
		h.control = unix.PktInfo4(&unix.Inet4Pktinfo{Ifindex: int32(h.index)})
		h.to = &h.to4
	}
	h.bare = len(h.control)
	h.control = append(h.control, make([]byte, unix.CmsgSpace(hopsLength))...)
	head := (*unix.Cmsghdr)(unsafe.Pointer(&h.control[h.bare]))
	head.Level, head.Type = int32(level), int32(kind)
	head.SetLen(unix.CmsgLen(hopsLength))
}

// hopsLength is that of an int, as which the kernel takes the hops.
const hopsLength = 4

// Index is the number of the device that the Hand was opened on.
func (h *Hand) Index() int { return h.index }

// ErrFamily says that an address is not of the Hand's family.
var ErrFamily = errors.New("it is of the other family")

// Send sends one advertisement from an address of the device to a group or a peer, and returns when the kernel has taken it for that
// device, or the error with which it did not. It never waits: a queue that is full is an error too.
func (h *Hand) Send(a *advert.Advert, from, to netip.Addr) error {
	return h.SendWithin(a, from, to, hops)
}

// SendWithin is Send with that many hops to go, to a peer that may be beyond routers. What goes to a group has all that there are.
func (h *Hand) SendWithin(a *advert.Advert, from, to netip.Addr, left uint8) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !from.IsValid() || !to.IsValid() || from.Is6() != h.cfg.IPv6 || to.Is6() != h.cfg.IPv6 {
		return fmt.Errorf("advertise from %s to %s: %w", from, to, ErrFamily)
	}
	h.message = a.Append(h.message[:0], from, to)
	h.address(from, to)
	h.sent = h.control[:h.bare]
	if left != hops && !to.IsMulticast() {
		binary.NativeEndian.PutUint32(h.control[h.bare+unix.CmsgLen(0):], uint32(left))
		h.sent = h.control
	}
	err := h.conn.Control(h.post)
	if err == nil {
		err = h.failed
	}
	if err != nil {
		return fmt.Errorf("advertise from %s to %s on %s: %w", from, to, h.cfg.Dev, advise(err))
	}
	return nil
}

// address writes both addresses where the kernel looks for them.
func (h *Hand) address(from, to netip.Addr) {
	data := h.control[unix.CmsgLen(0):]
	if h.cfg.IPv6 {
		src := from.As16()
		copy(data, src[:]) // Inet6Pktinfo begins with the address.
		h.to6.Addr = to.As16()
		return
	}
	src := from.As4()
	copy(data[4:], src[:]) // Inet4Pktinfo.Spec_dst follows the device.
	h.to4.Addr = to.As4()
}

func (h *Hand) postNow(fd uintptr) {
	n, err := unix.SendmsgN(int(fd), h.message, h.sent, h.to, unix.MSG_DONTWAIT)
	if err == nil && n != len(h.message) {
		err = unix.EMSGSIZE
	}
	h.failed = err
}

// Close ends Run, too.
func (h *Hand) Close() error {
	h.closed.Store(true)
	if err := h.file.Close(); err != nil {
		return fmt.Errorf("close VRRP on %s: %w", h.cfg.Dev, err)
	}
	return nil
}

// Run receives until the context or the Hand ends. An error is one that the socket does not recover from.
func (h *Hand) Run(ctx context.Context) error {
	defer context.AfterFunc(ctx, func() { _ = h.file.SetReadDeadline(time.Unix(1, 0)) })() // It fails on a closed file alone.
	r := receiver{hand: h, data: make([]byte, maxPacket), control: make([]byte, maxControl)}
	receive := r.receive
	for {
		err := h.conn.Read(receive)
		switch {
		case ctx.Err() != nil, h.closed.Load():
			return nil
		case err != nil:
			return fmt.Errorf("receive VRRP on %s: %w", h.cfg.Dev, err)
		case r.failed == nil:
			if heard, ok := r.read(); ok {
				h.cfg.OnHeard(heard)
			}
		case transient(r.failed):
		default:
			return fmt.Errorf("receive VRRP on %s: %w", h.cfg.Dev, r.failed)
		}
	}
}

// transient reports whether an error is of a moment, and told once by the kernel: a device that went down, memory that was short.
func transient(err error) bool {
	for _, e := range []error{unix.ENETDOWN, unix.ENOBUFS, unix.ENOMEM, unix.EINTR, unix.EHOSTUNREACH, unix.ENETUNREACH, unix.ECONNREFUSED} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// advise adds what to do about an error of the kernel.
func advise(err error) error {
	switch {
	case errors.Is(err, unix.EPERM):
		return fmt.Errorf("%w; give the agent CAP_NET_RAW", err)
	case errors.Is(err, unix.ENODEV):
		return fmt.Errorf("%w; `ip link` lists the devices that there are", err)
	default:
		return err
	}
}
