package vip

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"

	"github.com/mdlayher/socket"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// segment is where frames leave and claims arrive: one packet socket for each family, not bound to a device, so that it
// outlives devices that are made anew. A filter in the kernel passes only claims of the one address of that family.
type segment struct {
	conns map[bool]*socket.Conn // by: is IPv6
	mute  error                 // Why there are none.
}

// ErrMute says that this process may not send and receive frames.
var ErrMute = errors.New("frames can't be sent or heard; give the agent CAP_NET_RAW")

// hear opens the sockets in the present network namespace.
func hear(addresses []Address) *segment {
	s := &segment{conns: map[bool]*socket.Conn{}}
	for _, a := range addresses {
		conn, err := hearFor(a.Addr)
		if err != nil {
			s.mute = errors.Join(fmt.Errorf("%w (%w)", ErrMute, err), s.close())
			s.conns = nil
			return s
		}
		s.conns[a.Addr.Is6()] = conn
	}
	return s
}

func hearFor(addr netip.Addr) (*socket.Conn, error) {
	// Opened without a protocol it receives nothing yet: no frame passes before the filter.
	conn, err := socket.Socket(unix.AF_PACKET, unix.SOCK_RAW, 0, "packet", nil)
	if err != nil {
		return nil, fmt.Errorf("open packet socket: %w", err)
	}
	filter, err := bpf.Assemble(claims(addr))
	if err == nil {
		err = conn.SetBPF(filter)
	}
	if err == nil {
		err = conn.Bind(&unix.SockaddrLinklayer{Protocol: protocol(addr)})
	}
	if err != nil {
		return nil, fmt.Errorf("listen for claims of %s: %w", addr, errors.Join(err, conn.Close()))
	}
	return conn, nil
}

func (s *segment) close() error {
	var err error
	for _, c := range s.conns {
		err = errors.Join(err, c.Close())
	}
	return err
}

// send hands a frame to a device. It does not wait: a frame that finds the queue full is lost, as on a segment.
func (s *segment) send(addr netip.Addr, index int, frame []byte) error {
	if s.mute != nil {
		return s.mute
	}
	raw, err := s.conns[addr.Is6()].SyscallConn()
	if err != nil {
		return fmt.Errorf("reach packet socket: %w", err)
	}
	to := &unix.SockaddrLinklayer{Protocol: protocol(addr), Ifindex: index, Halen: 6}
	copy(to.Addr[:], frame[:6])
	var sent error
	err = raw.Control(func(fd uintptr) { sent = unix.Sendto(int(fd), frame, unix.MSG_DONTWAIT, to) })
	if err = errors.Join(err, sent); err != nil {
		return fmt.Errorf("send frame about %s: %w", addr, err)
	}
	return nil
}

// protocol is the kind of frame that is about an address, in the order of bytes that packet sockets want.
func protocol(addr netip.Addr) uint16 {
	kind := uint16(unix.ETH_P_ARP)
	if addr.Is6() {
		kind = unix.ETH_P_IPV6
	}
	return binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, kind))
}

// claims is a filter for frames in which somebody says to have an address: ARP with it as the sender, neighbour
// advertisements of it, and solicitations that come from it. speak/neighbour then looks closer.
func claims(addr netip.Addr) []bpf.Instruction {
	const (
		sender      = 14 + 14 // of ARP
		nextHeader  = 14 + 6
		source      = 14 + 8
		messageType = 14 + 40
		target      = 14 + 48
		icmpv6      = 58
		solicit     = 135
		advertise   = 136
		whole       = 1 << 16
	)
	pass, drop := bpf.RetConstant{Val: whole}, bpf.RetConstant{}
	if addr.Is4() {
		b := addr.As4()
		return []bpf.Instruction{
			bpf.LoadAbsolute{Off: sender, Size: 4},
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: binary.BigEndian.Uint32(b[:]), SkipFalse: 1},
			pass, drop,
		}
	}
	program := []bpf.Instruction{
		bpf.LoadAbsolute{Off: nextHeader, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: icmpv6, SkipTrue: 1},
		drop,
		bpf.LoadAbsolute{Off: messageType, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: advertise, SkipTrue: 12}, // to the last block
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: solicit, SkipTrue: 1},
		drop,
	}
	return append(append(program, equal(addr, source)...), equal(addr, target)...)
}

// equal passes a frame with an IPv6 address at an offset, and drops others.
func equal(addr netip.Addr, at uint32) []bpf.Instruction {
	b := addr.As16()
	var out []bpf.Instruction
	for i := 0; i < len(b); i += 4 {
		left := uint8(2*(len(b)-i)/4 - 1) // instructions from this comparison to the drop
		out = append(out,
			bpf.LoadAbsolute{Off: at + uint32(i), Size: 4},
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: binary.BigEndian.Uint32(b[i : i+4]), SkipFalse: left},
		)
	}
	return append(out, bpf.RetConstant{Val: 1 << 16}, bpf.RetConstant{})
}

// frameSize is more than the frames that matter have.
const frameSize = 1514
