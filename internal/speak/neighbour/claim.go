package neighbour

import "net/netip"

// Announcement is the frame that tells the segment that an address is at mac now.
//
// For IPv4 it is an ARP request for one's own address: measured, Linux believes this form even within a second of the
// last change, when it ignores a broadcast reply. For IPv6 it is an unsolicited advertisement to all nodes, with the
// override flag, without which caches keep what they have, and the option that says where.
func Announcement(addr netip.Addr, mac MAC) []byte {
	if addr = addr.Unmap(); addr.Is4() {
		return ARP{To: Broadcast, From: mac, Op: Request, SenderMAC: mac, Sender: addr, Target: addr}.Append(nil)
	}
	return NDP{
		To: multicast(allNodes), From: mac, Src: addr, Dst: allNodes,
		Advertisement: true, Override: true, Target: addr, Link: mac,
	}.Append(nil)
}

// Probe is the frame that asks the segment who has an address, and tells nobody that the asker might: its sender is
// 0.0.0.0 or ::, so that no cache changes.
func Probe(addr netip.Addr, mac MAC) []byte {
	if addr = addr.Unmap(); addr.Is4() {
		return ARP{To: Broadcast, From: mac, Op: Request, SenderMAC: mac, Target: addr}.Append(nil)
	}
	group := Solicited(addr)
	return NDP{To: multicast(group), From: mac, Dst: group, Target: addr}.Append(nil)
}

// Claim is that somebody says to have an address.
type Claim struct {
	Addr netip.Addr
	// At is where the claimant says to be.
	At MAC
	// Answer says that it may answer a question: an ARP reply, or an advertisement. What is said unasked may have been on
	// the way when the asker began.
	Answer bool
}

// ReadClaim reads what a frame's sender says to have. Probes claim nothing.
func ReadClaim(frame []byte) (Claim, bool) {
	if a, err := ParseARP(frame); err == nil {
		return Claim{Addr: a.Sender, At: a.SenderMAC, Answer: a.Op == Reply}, !a.Sender.IsUnspecified()
	}
	n, err := ParseNDP(frame)
	if err != nil {
		return Claim{}, false
	}
	c := Claim{Addr: n.Src, At: n.Link, Answer: n.Advertisement}
	if n.Advertisement {
		c.Addr = n.Target
	}
	if c.At == (MAC{}) {
		c.At = n.From
	}
	return c, !c.Addr.IsUnspecified()
}

// allNodes is every IPv6 host of a segment.
var allNodes = netip.AddrFrom16([16]byte{0xff, 0x02, 15: 1})

// Solicited is the group that whoever has the IPv6 address listens to: ff02::1:ff00:0 and its last three bytes.
func Solicited(addr netip.Addr) netip.Addr {
	a := sixteen(addr)
	return netip.AddrFrom16([16]byte{0xff, 0x02, 11: 1, 12: 0xff, 13: a[13], 14: a[14], 15: a[15]})
}

// multicast is where Ethernet sends what is for a group of IPv6.
func multicast(group netip.Addr) MAC {
	g := sixteen(group)
	return MAC{0x33, 0x33, g[12], g[13], g[14], g[15]}
}
