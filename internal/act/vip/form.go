package vip

import "net/netip"

// Form is how an IPv4 address is put on. The zero one has it alone, as a subnet of its own: then it can neither be its device's first address,
// which takes the others of its subnet along when it goes, nor bring a route. IPv6 addresses are always alone.
type Form struct {
	// Bits is the length of its subnet's prefix, 1 to 32; 0 is 32. With less than 32 the address has its subnet: where it is the first one
	// of that on its device, it brings the route there, unless NoRoute says not to.
	Bits    int
	NoRoute bool
	// Label is what old programs know it by, 15 bytes at most; empty for the device's name.
	Label string
	// Broadcast is its subnet's, invalid for none. Scope is rtnetlink(7)'s: 0 is everywhere.
	Broadcast netip.Addr
	Scope     uint8
}

// whole is the length of the prefix that is an address alone.
func (a *address) whole() int { return a.Addr.BitLen() }

// choose settles with which length an address is put on a device: its Form's, unless the device has that for good as the first address of its subnet.
// This is the host's own, which must neither get a life that ends nor be taken off.
func (a *address) choose(index int) {
	a.length = a.whole()
	if a.Bits == 0 {
		return
	}
	if at, is := a.places[place{index, a.Bits}]; !is || !at.forever || at.secondary {
		a.length = a.Bits
	}
}

// own is where an address of ours is on a device.
func (a *address) own(index int) place { return place{index, a.length} }
