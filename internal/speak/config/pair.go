package config

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"redkeep/internal/words"
)

// Two nodes have no majority without the other. They are a pair: what VRRP hears on the segment between them decides in a third's place.

// PairOf reports whether the file has two nodes.
func (c *Config) PairOf() bool { return len(c.Nodes) == 2 }

// adverts is how many advertisements may be missed in a row before a pair's master counts as gone (RFC 5798 §6.1).
const adverts = 3

// Advert is the time between two advertisements of a pair, in the hundredths of a second that VRRP has: three of them are no shorter
// than a lease.
func (c *Config) Advert() time.Duration {
	const unit = 10 * time.Millisecond
	return (c.Lease + adverts*unit - 1) / (adverts * unit) * unit
}

// Failback is when the group goes back to its preferred node.
type Failback uint8

// The kinds of failback.
const (
	// FailbackNever leaves the master where it is, until a person moves it.
	FailbackNever Failback = iota
	// FailbackSynced goes back as soon as the preferred node's server has everything.
	FailbackSynced
	// FailbackWindow does so within the window's hours.
	FailbackWindow
)

// Window is a part of each day, in minutes since midnight on the host's clock; it may go over midnight.
type Window struct{ From, To int }

// Has reports whether the window is open.
func (w Window) Has(at time.Time) bool {
	now := at.Hour()*60 + at.Minute()
	if w.From <= w.To {
		return w.From <= now && now < w.To
	}
	return now >= w.From || now < w.To
}

// String returns the file's word.
func (w Window) String() string {
	return fmt.Sprintf("%02d:%02d-%02d:%02d", w.From/60, w.From%60, w.To/60, w.To%60)
}

// prefer reads the preferred node.
func (r *reader) prefer(g *Group, v value, of string, c *Config) {
	text, ok := r.word(v, "prefer of "+of)
	if !ok {
		return
	}
	if g.Prefer = words.Node(text); !g.HasData(g.Prefer) {
		r.wrong(v.place, "name one of its data nodes", "prefer of %s is %q, which has no server of it", of, shown(text))
	}
}

// failback reads when to go back.
func (r *reader) failback(g *Group, v value, of string) {
	text, ok := r.word(v, "failback of "+of)
	if !ok {
		return
	}
	switch text {
	case "never":
		g.Failback = FailbackNever
		return
	case "synced":
		g.Failback = FailbackSynced
		return
	}
	from, to, dash := strings.Cut(text, "-")
	w := Window{minutes(from), minutes(to)}
	if !dash || w.From < 0 || w.To < 0 || w.From == w.To {
		r.wrong(v.place, `write never, synced, or hours like "02:00-04:00"`, "failback of %s cannot be %q", of, shown(text))
		return
	}
	g.Failback, g.Window = FailbackWindow, w
}

// minutes reads a time of day; -1 where it is none.
func minutes(text string) int {
	t, err := time.Parse("15:04", strings.TrimSpace(text))
	if err != nil {
		return -1
	}
	return t.Hour()*60 + t.Minute()
}

// vrid reads the number of the group's virtual router.
func (r *reader) vrid(g *Group, v value) {
	n, err := strconv.ParseUint(v.text, 10, 32)
	if v.kind != kindNumber || err != nil || n < 1 || n > 255 {
		r.wrong(v.place, "choose 1 to 255", "vrid cannot be %q", shown(v.text))
		return
	}
	g.VRID = uint8(n)
}

// ownVRID is the default: the last byte of the group's first address. Two groups may have the same there, which clashes refuses.
func ownVRID(vips []VIP) uint8 {
	if len(vips) == 0 {
		return 0
	}
	b := vips[0].Addr.AsSlice()
	return max(b[len(b)-1], 1)
}

// tieBreakers reads the addresses of which a pair's node must reach one.
func (r *reader) tieBreakers(v value) []netip.Addr {
	var all []netip.Addr
	for _, item := range r.list(v, "tie_breakers", "[10.0.0.1]") {
		if a, ok := r.address(item, "a tie-breaker"); ok {
			all = append(all, a)
		}
	}
	return all
}

// pair checks what only two nodes need, and what only they may have.
func (r *reader) pair(c *Config, seen map[string]place) {
	at, given := seen["tie_breakers"]
	if !c.PairOf() {
		if given {
			r.wrong(at, "leave it out: a majority needs none", "tie_breakers are for two nodes")
		}
		return
	}
	if !c.oneFamily() {
		a, b := c.Nodes[0], c.Nodes[1]
		r.wrong(seen["nodes"], "give both an IPv4 address, or both an IPv6 address", "node %s has %s and node %s has %s, which don't reach each other",
			a.Name, a.Addr, b.Name, b.Addr)
	}
	r.warn(seen["nodes"], "add a third node as a witness: any small host with an agent and no server, left out of every group's data",
		"two nodes have no majority: in a partition both become master, and what one of them took is lost when it heals")
	for _, a := range c.TieBreakers {
		for _, n := range c.Nodes {
			if a == n.Addr {
				r.wrong(at, "name a gateway, or another host of the network", "the tie-breaker %s is node %s itself", a, n.Name)
			}
		}
	}
}

// impartial refuses a tie-breaker that follows a master. Whoever is cut off while it has such an address reaches it all the same, on its
// own device, and the other node, which ought to take over, does not: it would decide for the wrong one each time.
func (r *reader) impartial(c *Config, at place) {
	if !c.PairOf() {
		return // It may have none anyway.
	}
	for _, a := range c.TieBreakers {
		for _, g := range c.Groups {
			if slices.Contains(g.Addresses(), a) {
				r.wrong(at, "name a gateway, or another host of the network", "the tie-breaker %s is the vip of group %s: its master always reaches it", a, g.Name)
			}
		}
	}
}

// oneFamily reports whether the nodes' addresses are of one family: else neither could send the other its advertisements.
func (c *Config) oneFamily() bool {
	a, b := c.Nodes[0].Addr, c.Nodes[1].Addr
	return !a.IsValid() || !b.IsValid() || a.Is4() == b.Is4()
}

// router checks a group of a pair. It returns where the number of its router stands, or else what it is made of.
func (r *reader) router(g *Group, at place, seen map[string]place, c *Config) place {
	of := "group " + string(g.Name)
	vrid, given := seen["vrid"]
	if !c.PairOf() {
		if given {
			r.wrong(vrid, "leave it out", "vrid of %s is for two nodes", of)
		}
		return vrid
	}
	if len(g.VIPs) == 0 {
		r.wrong(at, "add vip: an address that no host has", "%s has two nodes and no vip: VRRP decides by it", of)
	} else {
		if !given {
			vrid = g.VIPs[0].at
		}
		r.advertised(g, c)
	}
	if g.VRID == 0 {
		g.VRID = ownVRID(g.VIPs)
	}
	return vrid
}

// advertised refuses a group none of whose addresses is of its nodes' family: those of the other one can't be advertised.
func (r *reader) advertised(g *Group, c *Config) {
	node := c.Nodes[0].Addr
	if !node.IsValid() || !c.oneFamily() || slices.ContainsFunc(g.VIPs, func(v VIP) bool { return v.Addr.Is4() == node.Is4() }) {
		return
	}
	family := "IPv6"
	if node.Is4() {
		family = "IPv4"
	}
	r.wrong(g.VIPs[0].at, "add an "+family+" address: vip: [one, the other]",
		"vip of group %s has no %s address, as its two nodes have: they can't advertise it", g.Name, family)
}

// FailbackWord is the file's word for when the group goes back.
func (g *Group) FailbackWord() string {
	switch g.Failback {
	case FailbackSynced:
		return "synced"
	case FailbackWindow:
		return g.Window.String()
	default:
		return "never"
	}
}
