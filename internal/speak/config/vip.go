package config

import (
	"fmt"
	"net/netip"
	"slices"
)

// VIP is a virtual address that follows the group's master.
type VIP struct {
	Addr netip.Addr
	// Dev is the network interface that carries it; empty means the one in whose subnet it is.
	Dev string

	// file and at are where it stands, for what only a host can find wrong with it.
	file string
	at   place
}

// Problem says what is wrong with the address on this host, at its place in the file.
func (v VIP) Problem(do, what string, args ...any) Problem {
	return Problem{File: v.file, Line: v.at.line, Column: v.at.column, What: fmt.Sprintf(what, args...), Do: do}
}

// vips reads one virtual address, or a list of one IPv4 and one IPv6 address.
func (r *reader) vips(v value, of string, c *Config) []VIP {
	items := []value{v}
	if v.kind == kindList {
		items = v.items
		if len(items) == 0 {
			r.wrong(v.place, "name an address, or leave vip out", "vip of %s is empty", of)
		}
	}
	var vips []VIP
	for _, item := range items {
		vip, ok := r.vip(item, of, c)
		if !ok {
			continue
		}
		same := func(o VIP) bool { return o.Addr.Is4() == vip.Addr.Is4() }
		if i := slices.IndexFunc(vips, same); i >= 0 {
			r.wrong(item.place, "keep one IPv4 and one IPv6 address at most", "vip of %s has two addresses of one family, %s and %s", of, vips[i].Addr, vip.Addr)
			continue
		}
		vips = append(vips, vip)
	}
	slices.SortFunc(vips, func(a, b VIP) int { return a.Addr.Compare(b.Addr) })
	return vips
}

// vip reads an address alone, or a map of address and dev.
func (r *reader) vip(v value, of string, c *Config) (VIP, bool) {
	vip := VIP{file: r.file, at: v.place}
	var ok bool
	if v.kind != kindMap {
		vip.Addr, ok = r.address(v, "vip of "+of)
		return vip, ok && r.isFree(vip, of, c)
	}
	seen := r.fields(v, "vip of "+of, []field{
		{"address", func(v value) { vip.at = v.place; vip.Addr, ok = r.address(v, "vip of "+of) }},
		{"dev", func(v value) { vip.Dev = r.device(v) }},
	})
	if _, given := seen["address"]; !given {
		r.wrong(v.place, "add address: 10.0.0.100", "vip of %s has no address", of)
	}
	return vip, ok && r.isFree(vip, of, c)
}

// isFree refuses an address that a host has for itself.
func (r *reader) isFree(vip VIP, of string, c *Config) bool {
	for _, n := range c.Nodes {
		if n.Addr == vip.Addr {
			r.wrong(vip.at, "choose an address that no host has", "vip of %s is the address of node %s", of, n.Name)
			return false
		}
	}
	return true
}

// device reads the name of a network interface, as the kernel would take it.
func (r *reader) device(v value) string {
	const most = 15 // IFNAMSIZ less the zero at its end
	text, ok := r.word(v, "dev")
	if !ok {
		return ""
	}
	bad := text == "" || text == "." || text == ".." || len(text) > most
	for _, c := range text {
		bad = bad || c <= ' ' || c >= 0x7f || c == '/' || c == ':'
	}
	if bad {
		r.wrong(v.place, "write a name that `ip link` shows, like eth0", "dev cannot be an interface: %q", shown(text))
		return ""
	}
	return text
}

// Addresses are the group's virtual addresses without their devices; nil where it has none.
func (g Group) Addresses() (list []netip.Addr) {
	for _, v := range g.VIPs {
		list = append(list, v.Addr)
	}
	return list
}

// sharedVIP returns the first address that two groups both have.
func sharedVIP(a, b Group) (netip.Addr, place, bool) {
	for _, v := range a.VIPs {
		if slices.ContainsFunc(b.VIPs, func(o VIP) bool { return o.Addr == v.Addr }) {
			return v.Addr, v.at, true
		}
	}
	return netip.Addr{}, place{}, false
}
