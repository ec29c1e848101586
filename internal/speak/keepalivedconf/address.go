package keepalivedconf

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// addresses reads a list of virtual addresses with their options.
func (r *reader) addresses(s *Statement) []Address {
	var list []Address
	r.each(s.Block.Statements, levels[inList], func(one *Statement) {
		a := Address{At: one.At()}
		ok := false
		if a.Prefix, ok = r.prefix(one.Words[0], "a virtual address"); !ok {
			return
		}
		for rest := one.Words[1:]; len(rest) > 0; {
			if rest, ok = r.option(rest, &a); !ok {
				break
			}
		}
		if edge(a.Prefix) {
			r.edge(a.At, a.Prefix)
		}
		for _, other := range list {
			if other.Prefix.Addr() == a.Prefix.Addr() {
				r.wrong(a.At, "keep one of them", "%s has %s twice", s.Keyword(), a.Prefix.Addr())
				return
			}
		}
		list = append(list, a)
	})
	if len(s.Block.Statements) == 0 {
		say := r.wrong
		if s.Keyword() == "virtual_ipaddress_excluded" {
			say = r.warn
		}
		say(s.At(), "write the address into it, or take it away", "%s is empty", s.Keyword())
	}
	return list
}

// prefix reads an address with or without a mask.
func (r *reader) prefix(w Word, of string) (netip.Prefix, bool) {
	if addr, err := netip.ParseAddr(w.Text); err == nil && addr.Zone() == "" {
		return r.usable(w, of, netip.PrefixFrom(addr.Unmap(), addr.Unmap().BitLen()))
	}
	p, err := netip.ParsePrefix(w.Text)
	if err == nil {
		return r.usable(w, of, p)
	}
	if before, after, comma := strings.Cut(w.Text, ","); comma && after != "" {
		if _, err := netip.ParseAddr(before); err == nil {
			r.wrong(w.At, "write each on a line of its own, without a comma", "several addresses are in one line").replace(w.At, strings.ReplaceAll(w.Text, ",", "\n"))
			return netip.Prefix{}, false
		}
	}
	r.wrong(w.At, "write an address like 10.0.0.100 or 10.0.0.100/24", "%s is not an IP address: %q", of, shown(w.Text))
	return netip.Prefix{}, false
}

// edge reports whether an IPv4 address is its subnet's first or last one, which no host can be reached at.
func edge(p netip.Prefix) bool {
	const pointToPoint = 31 // which has none of either
	if !p.Addr().Is4() || p.Bits() >= pointToPoint {
		return false
	}
	a := binary.BigEndian.Uint32(p.Addr().AsSlice())
	host := a & (1<<(32-p.Bits()) - 1)
	return host == 0 || host == 1<<(32-p.Bits())-1
}

// edge warns of such an address.
func (p *problems) edge(at Place, of netip.Prefix) {
	what := "broadcast"
	if of.Addr() == of.Masked().Addr() {
		what = "network"
	}
	p.warn(at, "choose an address between them", "%s is the %s address of %s, which nobody can connect to", of.Addr(), what, of.Masked())
}

// usable refuses what no host can have.
func (r *reader) usable(w Word, of string, p netip.Prefix) (netip.Prefix, bool) {
	if a := p.Addr(); a.IsUnspecified() || a.IsMulticast() || a.IsLoopback() {
		r.wrong(w.At, "write the address that the clients use", "%s cannot be %s", of, a)
		return p, false
	}
	return p, true
}

// option reads one option of an address, and returns what follows it.
func (r *reader) option(rest []Word, a *Address) ([]Word, bool) {
	text := map[string]*string{"dev": &a.Dev, "label": &a.Label, "scope": &a.Scope, "brd": &a.Broadcast, "broadcast": &a.Broadcast}
	w := rest[0]
	switch w.Text {
	case "noprefixroute":
		a.NoPrefixRoute = true
		return rest[1:], true
	case "-nodad", "nodad": // The kernel never looks for duplicates of them: the routers do.
		return rest[1:], true
	case "home", "mngtmpaddr", "no_track":
		a.LeftOut = append(a.LeftOut, w.Text)
		return rest[1:], true
	}
	switch into := text[w.Text]; {
	case into != nil && *into != "":
		r.wrong(w.At, "keep one of them", "%s is there twice", w.Text)
		return nil, false
	case into == nil && w.Text != "peer" && w.Text != "preferred_lft" && w.Text != "track_group":
		r.oneALine(w, "virtual_ipaddress")
		return nil, false
	case len(rest) < 2:
		r.wrong(w.At, "write it after the word", "%s has no value", shown(w.Text))
		return nil, false
	case w.Text == "peer":
		r.prefix(rest[1], "peer") // for what is wrong with it
		a.LeftOut = append(a.LeftOut, w.Text)
	case w.Text == "preferred_lft", w.Text == "track_group":
		a.LeftOut = append(a.LeftOut, w.Text)
	case w.Text == "dev":
		*into, _ = r.device(rest[1], "dev")
	case w.Text == "label":
		if *into = rest[1].Text; len(rest[1].Text) > 15 {
			r.wrong(rest[1].At, "write up to 15 characters, or leave it out", "label is too long: %q", shown(rest[1].Text))
		}
	case w.Text == "scope":
		*into = rest[1].Text
		if _, err := strconv.ParseUint(*into, 0, 8); err != nil && !slices.Contains([]string{"global", "site", "link", "host", "nowhere"}, *into) {
			r.wrong(rest[1].At, "write global, or leave it out", "there is no scope %q", shown(*into))
		}
	case into != nil:
		*into = rest[1].Text
		if addr, err := netip.ParseAddr(*into); *into != "+" && *into != "-" && (err != nil || !addr.Is4()) {
			r.wrong(rest[1].At, "write + for the network's own, or leave it out", "%s is no IPv4 address: %q", w.Text, shown(*into))
		}
	}
	return rest[2:], true
}
