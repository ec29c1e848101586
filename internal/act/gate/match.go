package gate

import (
	"encoding/binary"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// loopback is the index of the loopback device: the kernel gives 1 to it in every network namespace.
const loopback = 1

// Where the fields lie in a TCP header, in bytes.
const (
	offSport = 0
	offDport = 2
	offFlags = 12
	offCheck = 16
)

// rememberFor is how long an exempt user's connection may be idle behind a shut gate and still get an answer.
const rememberFor = time.Hour

// opDelete is NFT_DYNSET_OP_DELETE, which the system's constants lack.
const opDelete = 2

// match is a piece of a rule: expressions that a packet has to pass one after another.
type match []expr.Any

// rule joins pieces to the expressions of one rule.
func rule(parts ...match) []expr.Any {
	var all []expr.Any
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

func native(v uint32) []byte { return binary.NativeEndian.AppendUint32(nil, v) }

// isTCP comes before everything that reads a TCP header: in the inet family nothing else makes sure of it.
func isTCP() match { return metaIs(expr.MetaKeyL4PROTO, expr.CmpOpEq, []byte{unix.IPPROTO_TCP}) }

// Types of ICMPv6 by which addresses are resolved.
const (
	neighbourSolicitation  = 135
	neighbourAdvertisement = 136
)

func isICMPv6() match { return metaIs(expr.MetaKeyL4PROTO, expr.CmpOpEq, []byte{unix.IPPROTO_ICMPV6}) }

// isNeighbour holds for one type of neighbour discovery.
func isNeighbour(kind byte) match {
	return append(isICMPv6(),
		&expr.Payload{DestRegister: unix.NFT_REG_1, Base: expr.PayloadBaseTransportHeader, Offset: 0, Len: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: unix.NFT_REG_1, Data: []byte{kind}})
}

func fromLoopback() match  { return metaIs(expr.MetaKeyIIF, expr.CmpOpEq, native(loopback)) }
func fromElsewhere() match { return metaIs(expr.MetaKeyIIF, expr.CmpOpNeq, native(loopback)) }

// toLoopback holds for packets to any address of this host, since all of those are routed through the loopback device.
// In the input hook there is no outgoing device, and it never holds.
func toLoopback() match  { return metaIs(expr.MetaKeyOIF, expr.CmpOpEq, native(loopback)) }
func toElsewhere() match { return metaIs(expr.MetaKeyOIF, expr.CmpOpNeq, native(loopback)) }

func metaIs(key expr.MetaKey, op expr.CmpOp, data []byte) match {
	return match{&expr.Meta{Key: key, Register: unix.NFT_REG_1}, &expr.Cmp{Op: op, Register: unix.NFT_REG_1, Data: data}}
}

// sentWithMark holds for packets of a local socket that carries the mark. It must run before anything that sets marks.
func sentWithMark(mark, mask uint32) match {
	return append(match{&expr.Meta{Key: expr.MetaKeyMARK, Register: unix.NFT_REG_1}}, masked(mark, mask)...)
}

// forSocketWithMark holds for packets that a local socket with the mark will receive. The kernel looks the receiver up,
// so that nothing has to be remembered about it.
func forSocketWithMark(mark, mask uint32) match {
	return append(match{&expr.Socket{Key: expr.SocketKeyMark, Register: unix.NFT_REG_1}}, masked(mark, mask)...)
}

func masked(mark, mask uint32) match {
	return match{
		&expr.Bitwise{SourceRegister: unix.NFT_REG_1, DestRegister: unix.NFT_REG_1, Len: 4, Mask: native(mask), Xor: native(0)},
		&expr.Cmp{Op: expr.CmpOpEq, Register: unix.NFT_REG_1, Data: native(mark & mask)},
	}
}

func sentByUser(uid uint32) match { return metaIs(expr.MetaKeySKUID, expr.CmpOpEq, native(uid)) }

// isReset holds for a TCP packet with RST.
func isReset() match {
	return match{
		&expr.Payload{DestRegister: unix.NFT_REG_1, Base: expr.PayloadBaseTransportHeader, Offset: offFlags + 1, Len: 1},
		&expr.Bitwise{SourceRegister: unix.NFT_REG_1, DestRegister: unix.NFT_REG_1, Len: 1, Mask: []byte{0x04}, Xor: []byte{0}},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: unix.NFT_REG_1, Data: []byte{0}},
	}
}

// field loads some bytes of a header for the expression after it.
func field(base expr.PayloadBase, offset, length uint32) match {
	return match{&expr.Payload{DestRegister: unix.NFT_REG_1, Base: base, Offset: offset, Len: length}}
}

// port loads one of the two ports for the expression after it.
func port(offset uint32) match { return field(expr.PayloadBaseTransportHeader, offset, 2) }

// peer loads the key of a replication connection: the group's port, and address and port of the other end.
func peer(family byte, address, length, own, theirs uint32) match {
	transport := func(reg, offset uint32) expr.Any {
		return &expr.Payload{DestRegister: reg, Base: expr.PayloadBaseTransportHeader, Offset: offset, Len: 2}
	}
	const first = unix.NFT_REG32_00 // Parts of a joined key lie in registers of four bytes, one after another.
	return append(metaIs(expr.MetaKeyNFPROTO, expr.CmpOpEq, []byte{family}),
		transport(first, own),
		&expr.Payload{DestRegister: first + 1, Base: expr.PayloadBaseNetworkHeader, Offset: address, Len: length},
		transport(first+1+length/4, theirs))
}

// in looks the loaded key up in a set.
func in(s *nftables.Set) match {
	reg := uint32(unix.NFT_REG_1)
	if s.Concatenation {
		reg = unix.NFT_REG32_00
	}
	return match{&expr.Lookup{SourceRegister: reg, SetName: s.Name, SetID: s.ID}}
}

// leadBy goes where a map leads the loaded port.
func leadBy(s *nftables.Set) match {
	return match{&expr.Lookup{SourceRegister: unix.NFT_REG_1, SetName: s.Name, SetID: s.ID, IsDestRegSet: true}}
}

// tally counts the packet under the loaded port.
func tally(s *nftables.Set) match {
	return match{&expr.Dynset{
		SrcRegKey: unix.NFT_REG_1, SetName: s.Name, SetID: s.ID,
		Operation: uint32(unix.NFT_DYNSET_OP_ADD), Exprs: []expr.Any{&expr.Counter{}},
	}}
}

// remember keeps the loaded port in a set; forget takes it out again.
func remember(s *nftables.Set) match {
	return match{&expr.Dynset{
		SrcRegKey: unix.NFT_REG_1, SetName: s.Name, SetID: s.ID,
		Operation: uint32(unix.NFT_DYNSET_OP_UPDATE), Timeout: rememberFor,
	}}
}

func forget(s *nftables.Set) match {
	return match{&expr.Dynset{SrcRegKey: unix.NFT_REG_1, SetName: s.Name, SetID: s.ID, Operation: opDelete}}
}

func count() match            { return match{&expr.Counter{}} }
func accept() match           { return match{&expr.Verdict{Kind: expr.VerdictAccept}} }
func drop() match             { return match{&expr.Verdict{Kind: expr.VerdictDrop}} }
func goTo(chain string) match { return match{&expr.Verdict{Kind: expr.VerdictGoto, Chain: chain}} }

// sendReset answers a request with a reset, on an open connection as well as on a new one.
func sendReset() match { return match{&expr.Reject{Type: unix.NFT_REJECT_TCP_RST}} }

// becomeReset turns a reply into a reset of its connection and lets that pass. The reply's own sequence number makes the
// client believe it, so that it learns at once, and an answer that the server repeats after a later opening finds
// nobody who waits for it. Dropped, the answer would be repeated until somebody opens, and be believed.
func becomeReset() match {
	return match{
		&expr.Payload{DestRegister: unix.NFT_REG_1, Base: expr.PayloadBaseTransportHeader, Offset: offFlags, Len: 2},
		// The header's length stays; of the flags, ACK and RST are left.
		&expr.Bitwise{SourceRegister: unix.NFT_REG_1, DestRegister: unix.NFT_REG_1, Len: 2, Mask: []byte{0xf0, 0}, Xor: []byte{0, 0x14}},
		&expr.Payload{
			OperationType: expr.PayloadWrite, SourceRegister: unix.NFT_REG_1, Base: expr.PayloadBaseTransportHeader,
			Offset: offFlags, Len: 2, CsumType: expr.CsumTypeInet, CsumOffset: offCheck,
		},
		&expr.Verdict{Kind: expr.VerdictAccept},
	}
}

// logRarely writes one line a second, five at once, to the kernel's log.
func logRarely(prefix string) match {
	return match{
		&expr.Limit{Type: expr.LimitTypePkts, Rate: 1, Unit: expr.LimitTimeSecond, Burst: 5},
		&expr.Log{Key: 1 << unix.NFTA_LOG_PREFIX, Data: []byte(prefix)},
	}
}
