package keepalived

import (
	"net/netip"
	"strconv"

	"redkeep/internal/act/vip"
	"redkeep/internal/speak/keepalivedconf"
)

// formOf is how an address is put on: an IPv4 one as it is written, and alone where it is written without a mask. An IPv6 one is always alone: with
// its subnet it would share the route of the host's own address, and have that end when it does itself.
func formOf(a *keepalivedconf.Address) (f vip.Form) {
	if a.Prefix.Addr().Is6() {
		return f
	}
	f = vip.Form{Label: a.Label, Scope: scopeOf(a.Scope)}
	if !a.Prefix.IsSingleIP() {
		f.Bits, f.NoRoute, f.Broadcast = a.Prefix.Bits(), a.NoPrefixRoute, broadcastOf(a)
	}
	return f
}

// scopeOf is a scope's number, which the reader has looked at.
func scopeOf(name string) uint8 {
	switch name {
	case "", "global":
		return 0
	case "site":
		return 200
	case "link":
		return 253
	case "host":
		return 254
	case "nowhere":
		return 255
	}
	n, _ := strconv.ParseUint(name, 0, 8)
	return uint8(n)
}

// broadcastOf is the broadcast address of an address's subnet: + has all bits of its hosts set, - none; invalid for none.
func broadcastOf(a *keepalivedconf.Address) netip.Addr {
	first := a.Prefix.Masked().Addr()
	switch a.Broadcast {
	case "":
		return netip.Addr{}
	case "-":
		return first
	case "+":
		last := first.As4()
		for bit := a.Prefix.Bits(); bit < len(last)*8; bit++ {
			last[bit/8] |= 0x80 >> (bit % 8)
		}
		return netip.AddrFrom4(last)
	}
	addr, _ := netip.ParseAddr(a.Broadcast)
	return addr
}
