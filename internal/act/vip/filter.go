package vip

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// Where in a notification about an address what is: the header, the ifaddrmsg, then the first attribute.
const (
	typeAt   = 4
	attrAt   = unix.SizeofNlMsghdr + unix.SizeofIfAddrmsg + 2
	addrAt   = unix.SizeofNlMsghdr + unix.SizeofIfAddrmsg + unix.SizeofRtAttr
	addrLow6 = addrAt + 12 // An IPv6 address's last four bytes, which tell more than its first.
)

// overhear has the kernel keep back what tells of other addresses than ours. Every group has a hand, each of them renews
// its addresses every second, and each renewal would wake all the others.
func overhear(conn *nl.NetlinkSocket, addrs []Address) error {
	raw, err := bpf.Assemble(ofInterest(addrs))
	if err != nil {
		return fmt.Errorf("write notification filter: %w", err)
	}
	program := make([]unix.SockFilter, len(raw))
	for i, r := range raw {
		program[i] = unix.SockFilter{Code: r.Op, Jt: r.Jt, Jf: r.Jf, K: r.K}
	}
	f := &unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	if err := unix.SetsockoptSockFprog(conn.GetFd(), unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, f); err != nil {
		return fmt.Errorf("filter notifications: %w", err)
	}
	return nil
}

// ofInterest passes what is not about an address, what is about one of these, and what does not begin with its address
// (those with another end of a tunnel).
func ofInterest(addrs []Address) []bpf.Instruction {
	pass := bpf.RetConstant{Val: 1 << 30}
	program := []bpf.Instruction{
		bpf.LoadAbsolute{Off: typeAt, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: native16(unix.RTM_NEWADDR), SkipTrue: 2},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: native16(unix.RTM_DELADDR), SkipTrue: 1},
		pass,
		bpf.LoadAbsolute{Off: attrAt, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: native16(unix.IFA_ADDRESS), SkipTrue: 1},
		pass,
	}
	for _, a := range addrs {
		at, tail := lastFour(a.Addr)
		program = append(program,
			bpf.LoadAbsolute{Off: at, Size: 4},
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: tail, SkipFalse: 1},
			pass,
		)
	}
	return append(program, bpf.RetConstant{})
}

func lastFour(a netip.Addr) (at, value uint32) {
	b := a.AsSlice()
	at = addrAt
	if a.Is6() {
		at = addrLow6
	}
	return at, binary.BigEndian.Uint32(b[len(b)-4:])
}

// native16 is a number in this machine's order of bytes as a filter loads it, which is the network's.
func native16(n uint16) uint32 {
	return uint32(binary.BigEndian.Uint16(binary.NativeEndian.AppendUint16(nil, n)))
}
