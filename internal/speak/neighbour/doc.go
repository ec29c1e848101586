// Package neighbour is what hosts of one segment say of who has which address: ARP and neighbour discovery.
//
// It turns whole Ethernet frames into values and back, and knows the four frames that matter to a virtual address: the
// announcement and the question, each for IPv4 and IPv6, and what in a frame is a claim. It sends and receives nothing,
// keeps no cache, and knows no VLAN tags (the kernel strips them) and no other link than Ethernet.
//
// act/vip calls it, from any goroutine.
//
// The rules are RFC 826 (ARP), RFC 5227 (a probe has no sender, an announcement is a request for one's own address), RFC
// 4861 sections 4.3, 4.4 and 7.1 (messages of IPv6, and which to drop), and RFC 4862 section 5.4 (a solicitation that
// only asks whether an address is free).
package neighbour
