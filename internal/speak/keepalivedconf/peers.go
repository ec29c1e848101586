package keepalivedconf

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Compare holds the files of several hosts against each other, and says where their routers would not take each other's
// advertisements: keepalived then has two masters. Each is told at its place in the later file.
func Compare(configs []*Config) []Problem {
	var p problems
	for n, later := range configs {
		for _, earlier := range configs[:n] {
			pair{&p, earlier, later}.compare()
		}
	}
	return p.list
}

// pair is two hosts.
type pair struct {
	*problems
	a, b *Config
}

// compare looks for each instance's counterpart.
func (p pair) compare() {
	for n := range p.b.Instances {
		i := &p.b.Instances[n]
		o := p.counterpart(i)
		switch {
		case o == nil:
			p.warn(i.At, "add it there too, unless it is for this host alone", "%s has no vrrp_instance with virtual_router_id %d", p.a.Files[0].Name, i.VRID)
		case o.VRID != i.VRID:
			p.wrong(i.Place("virtual_router_id"), "write the same number on both", "virtual_router_id is %d, and %d in %s: both hosts would be master", i.VRID, o.VRID, o.Place("virtual_router_id"))
		default:
			p.instances(o, i)
		}
	}
	for n := range p.a.Instances {
		o := &p.a.Instances[n]
		if !slices.ContainsFunc(p.b.Instances, func(i Instance) bool { return i.VRID == o.VRID || i.Name == o.Name }) {
			p.warn(o.At, "add it there too, unless it is for this host alone", "%s has no vrrp_instance with virtual_router_id %d", p.b.Files[0].Name, o.VRID)
		}
	}
}

// counterpart finds the instance that is meant to be the same virtual router: by number, then by name or by address.
func (p pair) counterpart(i *Instance) *Instance {
	var other *Instance
	for n := range p.a.Instances {
		o := &p.a.Instances[n]
		if o.VRID == i.VRID && (len(o.VIPs) == 0 || len(i.VIPs) == 0 || o.IPv6() == i.IPv6()) {
			return o
		}
		shares := slices.ContainsFunc(o.VIPs, func(v Address) bool { return hasAddress(i.VIPs, v) })
		taken := slices.ContainsFunc(p.b.Instances, func(x Instance) bool { return x.VRID == o.VRID })
		if other == nil && !taken && (o.Name == i.Name || shares) {
			other = o
		}
	}
	return other
}

// hasAddress reports whether a list has an address, with whatever mask.
func hasAddress(list []Address, a Address) bool {
	return slices.ContainsFunc(list, func(o Address) bool { return o.Prefix.Addr() == a.Prefix.Addr() })
}

// instances compares what two routers refuse each other for.
func (p pair) instances(o, i *Instance) {
	const both = "write the same on both hosts: keepalived drops the advertisements of a router that differs, and both become master"
	differ := func(keyword, mine, theirs string) {
		p.wrong(i.Place(keyword), both, "%s is %s, and %s in %s", keyword, mine, theirs, o.Place(keyword))
	}
	if o.Version != i.Version {
		differ("version", fmt.Sprint(i.Version), fmt.Sprint(o.Version))
	} else if o.AdvertInt != i.AdvertInt {
		if i.Version == 2 {
			differ("advert_int", plainSeconds(i.AdvertInt), plainSeconds(o.AdvertInt))
		} else {
			p.warn(i.Place("advert_int"), "write the same on both hosts", "advert_int is %s, and %s in %s: each waits as long as the master says", plainSeconds(i.AdvertInt),
				plainSeconds(o.AdvertInt), o.Place("advert_int"))
		}
	}
	switch mine, theirs := !i.Password.Empty(), !o.Password.Empty(); {
	case i.Version == 3 || o.Version == 3:
	case mine != theirs:
		differ("authentication", given(mine), given(theirs))
	case i.Password != o.Password:
		p.wrong(i.Place("auth_pass"), both, "auth_pass is not the one in %s", o.Place("auth_pass"))
	}
	if i.Version == 3 && o.Version == 3 && i.PlainChecksum != o.PlainChecksum && !i.IPv6() {
		differ("v3_checksum_as_v2", given(i.PlainChecksum), given(o.PlainChecksum))
	}
	p.addresses(o, i, both)
	p.ways(o, i, both)
	p.priorities(o, i)
	p.samePeer(o, i)
}

// samePeer warns of programs that get the same host's address on both: there, its server is told to follow itself.
func (p pair) samePeer(o, i *Instance) {
	for _, one := range []struct {
		name         string
		mine, theirs *Command
	}{{"notify_master", i.Notify.Master, o.Notify.Master}, {"notify_backup", i.Notify.Backup, o.Notify.Backup}} {
		if one.mine == nil || one.theirs == nil || !slices.Equal(one.mine.Args, one.theirs.Args) {
			continue
		}
		for _, a := range one.mine.Args[1:] {
			addr, err := netip.ParseAddr(a)
			if err != nil || addr.IsLoopback() || addr.IsUnspecified() || slices.ContainsFunc(i.VIPs, func(v Address) bool { return v.Prefix.Addr() == addr }) {
				continue
			}
			p.warn(one.mine.At, "give each host's program the other host's address", "%s gets %s, and so it does in %s: on that host its server is told to follow itself", one.name, addr,
				one.theirs.At)
			return
		}
	}
}

func given(is bool) string {
	if is {
		return "given"
	}
	return "not given"
}

// addresses compares the virtual ones.
func (p pair) addresses(o, i *Instance, both string) {
	missing := func(from, in []Address) string {
		var list []string
		for _, a := range from {
			if !hasAddress(in, a) {
				list = append(list, a.Prefix.Addr().String())
			}
		}
		return strings.Join(list, ", ")
	}
	lacks, extra := missing(o.VIPs, i.VIPs), missing(i.VIPs, o.VIPs)
	switch {
	case lacks != "" && extra != "":
		p.wrong(i.Place("virtual_ipaddress"), both, "virtual_ipaddress has %s, and %s in %s", extra, lacks, o.Place("virtual_ipaddress"))
	case lacks != "":
		p.wrong(i.Place("virtual_ipaddress"), both, "virtual_ipaddress lacks %s, which is in %s", lacks, o.Place("virtual_ipaddress"))
	case extra != "":
		p.wrong(i.Place("virtual_ipaddress"), both, "virtual_ipaddress has %s, which is not in %s", extra, o.Place("virtual_ipaddress"))
	}
}

// ways compares where advertisements go.
func (p pair) ways(o, i *Instance, both string) {
	switch {
	case o.Unicast() != i.Unicast():
		at, mine, theirs := i.Place("unicast_peer"), "in multicast", "in unicast"
		if i.Unicast() {
			mine, theirs = theirs, mine
		}
		p.wrong(at, "write unicast_peer on both hosts, each with the other's address, or on neither", "advertisements go %s, and %s in %s", mine, theirs, o.Place("unicast_peer"))
	case !o.Unicast() && o.Group != i.Group && o.IPv6() == i.IPv6():
		p.wrong(i.Place("mcast_dst_ip"), both, "advertisements go to %s, and to %s in %s", i.Group, o.Group, o.At.File)
	case o.Unicast():
		for _, one := range [][2]*Instance{{o, i}, {i, o}} {
			from, to := one[0], one[1]
			if from.Source.IsValid() && !slices.ContainsFunc(to.Peers, func(r Peer) bool { return r.Addr == from.Source }) {
				p.wrong(to.Place("unicast_peer"), "add it", "unicast_peer lacks %s, the source of %s", from.Source, from.At.File)
			}
		}
	}
}

// priorities asks who would be master, and whether a failed check changes that.
func (p pair) priorities(o, i *Instance) {
	if o.Priority == i.Priority {
		if i.Priority == 255 {
			p.wrong(i.Place("priority"), "give one of them at most 254", "priority is 255 on both hosts: each takes the address for its own")
			return
		}
		p.warn(i.Place("priority"), "give the host that you prefer the greater one", "priority is %d here and in %s: the greater address decides", i.Priority, o.Place("priority"))
	}
	high, low := o, i
	if i.Priority > o.Priority {
		high, low = i, o
	}
	if high.NoPreempt || low.NoPreempt || high.Priority == 255 {
		return // nobody takes over from a master that is heard, and the one file says so
	}
	best, rival := raised(high), raised(low)
	for _, t := range high.checks() {
		w := max(t.Weight.Value, -t.Weight.Value)
		if w == 0 || max(best-w, 1) < rival {
			continue
		}
		p.wrong(t.At, fmt.Sprintf("choose one beyond %d, or take it away, so that a failed check is a fault", best-rival),
			"check %s with weight %d never moves the address: priority %d falls to %d, and %s has %d", shown(t.Name), t.Weight.Value, best, max(best-w, 1), low.At.File, rival)
	}
}

// raised is an instance's priority while all checks are good.
func raised(i *Instance) int {
	n := i.Priority
	for _, t := range i.checks() {
		if t.Weight.Value > 0 != t.Weight.Reverse && t.Weight.Value != 0 {
			n += max(t.Weight.Value, -t.Weight.Value)
		}
	}
	return cmp.Or(min(n, 254), 1)
}
