package keepalivedconf

import (
	"fmt"
	"net/netip"
	"slices"

	"redkeep/internal/words"
)

// check holds the parts of a file against each other.
func (r *reader) check() {
	c := r.config
	for n := range c.Instances {
		i := &c.Instances[n]
		r.names(i.Scripts, i.Processes)
		r.itself(i)
		for _, o := range c.Instances[:n] {
			r.clash(i, &o)
		}
	}
	for n := range c.Groups {
		g := &c.Groups[n]
		r.names(g.Scripts, g.Processes)
		r.members(g)
		r.weightless(g)
	}
	r.sources()
	if len(c.Instances) == 0 && len(r.list) == 0 && len(c.Files) > 0 {
		r.wrong(c.Files[0].places.at(0, 0), "write one: vrrp_instance NAME { ... }", "the file has no vrrp_instance")
	}
}

// ownWeights gives lines that have no weight that of the check. All checks have been read by then.
func (r *reader) ownWeights(scripts, processes []Track) {
	for n := range scripts {
		if s := r.config.Script(scripts[n].Name); s != nil && !scripts[n].given {
			scripts[n].Weight = s.Weight
		}
	}
	for n := range processes {
		if p := r.config.Process(processes[n].Name); p != nil && !processes[n].given {
			processes[n].Weight = p.Weight
		}
	}
}

// names looks whether the checks are there that are tracked.
func (r *reader) names(scripts, processes []Track) {
	var known []string
	for _, s := range r.config.Scripts {
		known = append(known, s.Name)
	}
	for _, t := range scripts {
		r.defines(t, known, "vrrp_script", "a check that is not there is none at all to keepalived")
	}
	known = nil
	for _, p := range r.config.Processes {
		known = append(known, p.Name)
	}
	for _, t := range processes {
		r.defines(t, known, "vrrp_track_process", "nothing would be tracked")
	}
}

func (r *reader) defines(t Track, known []string, kind, but string) {
	if slices.Contains(known, t.Name) {
		return
	}
	if near, ok := words.Nearest(t.Name, known); ok {
		r.wrong(t.At, "did you mean "+shown(near)+"?", "there is no %s %s: %s", kind, shown(t.Name), but).replace(t.At, near)
		return
	}
	r.wrong(t.At, fmt.Sprintf("write one: %s %s { ... }", kind, shown(t.Name)), "there is no %s %s: %s", kind, shown(t.Name), but)
}

// itself looks for an instance that is among its own peers, and for sources of the wrong family.
func (r *reader) itself(i *Instance) {
	for _, p := range i.Peers {
		if p.Addr == i.Source {
			r.warn(p.At, "name the other hosts alone", "unicast_peer has this host's own address, %s", p.Addr)
		}
	}
	if i.Source.IsValid() && len(i.VIPs) > 0 && i.Source.Is6() != i.IPv6() {
		at := i.Place("unicast_src_ip")
		if i.Given("mcast_src_ip") {
			at = i.Place("mcast_src_ip")
		}
		r.wrong(at, "write an address of the same family", "the source is of another family than the virtual address")
	}
	all := slices.Concat(i.VIPs, i.Excluded)
	for n, v := range all {
		if hasAddress(all[:n], v) {
			r.wrong(v.At, "leave it in one of them", "two lists of vrrp_instance %s have the address %s", shown(i.Name), v.Prefix.Addr())
		}
	}
	for _, p := range i.Peers {
		if len(i.VIPs) > 0 && p.Addr.Is6() != i.IPv6() {
			r.wrong(p.At, "write the peer's address of the same family", "the peer is of another family than the virtual address")
		}
	}
	for _, keyword := range []string{"unicast_src_ip", "unicast_ttl", "check_unicast_src", "old_unicast_checksum"} {
		if i.Given(keyword) && !i.Given("unicast_peer") {
			r.warn(i.Place(keyword), "write unicast_peer with the other hosts' addresses, or take it away for multicast (mcast_src_ip names a source there)",
				"%s stands without unicast_peer: it is multicast, as keepalived falls back to it, which clouds drop, and whoever is on the segment is believed", keyword)
			break
		}
	}
	for _, t := range i.Interfaces {
		if t.Name == i.Interface && !i.DontTrackPrimary {
			r.warn(t.At, "take it away", "track_interface has %s, which the instance follows anyway", shown(t.Name))
		}
	}
	if i.VRID != 0 && i.Priority == 255 && i.NoPreempt {
		r.warn(i.Place("priority"), "choose at most 254", "priority 255 is the owner of the address, and takes it whatever nopreempt says")
	}
}

// clash refuses two virtual routers of one number on one interface, and one address in two of them,
// whether it is told or not: the one that falls would take it off under the other.
func (r *reader) clash(i, o *Instance) {
	if i.VRID != 0 && i.VRID == o.VRID && i.Interface == o.Interface && i.IPv6() == o.IPv6() {
		r.wrong(i.Place("virtual_router_id"), "give each its own number, the same on all hosts", "%s and %s both have virtual_router_id %d on %s: each would obey the other's advertisements",
			shown(o.Name), shown(i.Name), i.VRID, shown(i.Interface))
	}
	theirs := slices.Concat(o.VIPs, o.Excluded)
	for _, v := range slices.Concat(i.VIPs, i.Excluded) {
		if hasAddress(theirs, v) {
			r.wrong(v.At, "leave it in one of them", "%s and %s both have the address %s", shown(o.Name), shown(i.Name), v.Prefix.Addr())
		}
	}
}

// mostSources is how many addresses of its own a host can be asked for.
const mostSources = 64

// sources refuses more different ones with track_src_ip than can be followed.
func (r *reader) sources() {
	var seen []netip.Addr
	for n := range r.config.Instances {
		i := &r.config.Instances[n]
		if !i.TrackSource || !i.Source.IsValid() || slices.Contains(seen, i.Source) {
			continue
		}
		if seen = append(seen, i.Source); len(seen) > mostSources {
			r.wrong(i.Place("track_src_ip"), "take it away here, or run some instances by another file", "track_src_ip is there for more than %d different sources", mostSources)
			return
		}
	}
}

// members looks whether a group's instances are there, and in no other group.
func (r *reader) members(g *SyncGroup) {
	var known []string
	for _, i := range r.config.Instances {
		known = append(known, i.Name)
	}
	for _, m := range g.Members {
		r.defines(m, known, "vrrp_instance", "the group would go without it")
		for _, o := range r.config.Groups {
			if o.Name != g.Name && slices.Contains(o.Instances, m.Name) && o.At.Line < g.At.Line {
				r.wrong(m.At, "leave it in one of them", "vrrp_instance %s is in the groups %s and %s", shown(m.Name), shown(o.Name), shown(g.Name))
			}
		}
	}
	if len(g.Members) == 0 {
		r.wrong(g.At, "write group { and the instances' names into it", "vrrp_sync_group %s has no instances", shown(g.Name))
	} else if len(g.Members) == 1 {
		r.warn(g.At, "name the others too, or take the group away", "vrrp_sync_group %s has one instance, and nothing to keep it in step with", shown(g.Name))
	}
}

// weightless refuses checks with weights in a group whose members' priorities stay together: a script's is left out by keepalived, an interface's
// is its fault there, and only a process' counts.
func (r *reader) weightless(g *SyncGroup) {
	if g.Weights {
		return
	}
	say := func(list []Track, but string) {
		for _, t := range list {
			if t.Weight.Value != 0 {
				r.wrong(t.At, "take its weight away, so that a failed check is a fault, or write sync_group_tracking_weight into the group",
					"check %s has a weight, which "+but+" in vrrp_sync_group %s: it would check nothing", shown(t.Name), shown(g.Name))
			}
		}
	}
	scripts, others := g.Scripts, slices.Concat(g.Processes, g.Interfaces)
	for _, name := range g.Instances {
		if i := r.config.Instance(name); i != nil {
			scripts, others = slices.Concat(scripts, i.Scripts), slices.Concat(others, i.Processes, i.Interfaces)
		}
	}
	say(scripts, "keepalived ignores")
	say(others, "redkeep ignores")
}
