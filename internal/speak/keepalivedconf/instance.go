package keepalivedconf

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"redkeep/internal/words"
)

// mostBlocks is how many instances, groups, and checks of each kind, a file may have: they are compared with each other.
const mostBlocks = 1000

// instance reads a vrrp_instance.
func (r *reader) instance(s *Statement) {
	name, ok := r.blockName(s)
	if !ok {
		return
	}
	if len(r.config.Instances) == mostBlocks {
		r.wrong(s.At(), "run the others by another file", "there are more than %d instances", mostBlocks)
		return
	}
	d := r.defaults
	i := Instance{
		Name: name, At: s.At(), Interface: d.iface, Priority: 100, Version: d.version, AdvertInt: time.Second, CheckSource: d.checkSource, AnySource: d.anySource,
		UnicastTTL: 255, LowerNoAdvert: d.lowerNoAdvert, HigherAdvert: d.higherAdvert, DownTimerAdverts: d.downTimerAdverts,
		Announce: d.announce, Notify: Notify{PriorityChanges: d.priorityChanges}, places: make(map[string]Place),
	}
	r.each(s.Block.Statements, levels["vrrp_instance"], func(s *Statement) {
		keyword := s.Keyword()
		if at, twice := i.places[keyword]; twice && s.Block == nil {
			r.warn(s.At(), "keep one of them", "%s is there twice, first in line %d; this one counts", keyword, at.Line)
		}
		i.places[keyword] = s.At()
		if len(s.Words) > 1 && s.Block == nil {
			i.places[keyword] = s.Words[1].At
		}
		r.ofInstance(s, &i)
	})
	r.finish(&i)
	if other := r.config.Instance(name); other != nil {
		r.wrong(s.At(), "give it another name", "vrrp_instance %s is there already, in line %d", shown(name), other.At.Line)
		return
	}
	r.config.Instances = append(r.config.Instances, i)
}

// ofInstance reads one keyword of an instance.
//
//nolint:funlen // one closed set of keywords
func (r *reader) ofInstance(s *Statement, i *Instance) {
	switch s.Keyword() {
	case "state":
		r.state(s, i)
	case "interface":
		if w, ok := r.one(s); ok {
			i.Interface, _ = r.device(w, "interface")
		}
	case "virtual_router_id":
		i.VRID, _ = r.number(s, 1, 255)
	case "priority":
		r.set(&i.Priority, s, 1, 255)
	case "version":
		r.set(&i.Version, s, 2, 3)
	case "advert_int":
		if d, ok := r.seconds(s, 10*time.Millisecond, 255*time.Second); ok {
			i.AdvertInt = d
		}
	case "nopreempt":
		i.NoPreempt = true
		r.noMore(s, 1)
	case "preempt":
		i.NoPreempt = false
	case "preempt_delay":
		i.PreemptDelay, _ = r.seconds(s, 0, 1000*time.Second)
	case "authentication":
		r.authentication(s, i)
	case "virtual_ipaddress":
		i.VIPs = append(i.VIPs, r.addresses(s)...)
	case "virtual_ipaddress_excluded":
		i.Excluded = append(i.Excluded, r.addresses(s)...)
	case "unicast_src_ip", "mcast_src_ip":
		if w, ok := r.one(s); ok {
			i.Source, _ = r.address(w, s.Keyword())
		}
	case "mcast_dst_ip":
		if w, ok := r.one(s); ok {
			addr, _ := netip.ParseAddr(w.Text)
			r.group(&i.Group, s, addr.Is4())
		}
	case "unicast_peer":
		r.peers(s, i)
	case "unicast_ttl":
		r.set(&i.UnicastTTL, s, 0, 255)
	case "check_unicast_src":
		i.CheckSource, i.AnySource = r.sourceCheck(s)
	case "old_unicast_checksum":
		i.OldChecksum = s.Name() != "never"
	case "v3_checksum_as_v2":
		i.PlainChecksum = r.flag(s)
	case "track_script":
		i.Scripts = append(i.Scripts, r.tracks(s)...)
	case "track_process":
		i.Processes = append(i.Processes, r.tracks(s)...)
	case "track_interface":
		i.Interfaces = append(i.Interfaces, r.tracks(s)...)
	case "track_src_ip":
		i.TrackSource = r.flag(s)
	case "dont_track_primary":
		i.DontTrackPrimary = r.flag(s)
	case "lower_prio_no_advert":
		i.LowerNoAdvert = r.flag(s)
	case "higher_prio_send_advert":
		i.HigherAdvert = r.flag(s)
	case "down_timer_adverts":
		r.set(&i.DownTimerAdverts, s, 1, 100)
	case "no_virtual_ipaddress":
		i.NoVIP = r.flag(s)
	case "promote_secondaries":
		i.PromoteSecondaries = r.flag(s)
	default:
		if !r.notify(s, &i.Notify) {
			r.announce(s, &i.Announce, "")
		}
	}
}

// sourceCheck reads whether strangers are ignored, or believed.
func (r *reader) sourceCheck(s *Statement) (on, off bool) {
	if on = r.flag(s); !on {
		r.warn(s.At(), "take it away, and name every router in unicast_peer, unless anybody is to be obeyed",
			"%s is off, so that whoever can reach this host is believed; keepalived takes it for on, whatever follows it", s.Keyword())
	}
	return on, !on
}

// state reads MASTER or BACKUP; in the end the priority decides.
func (r *reader) state(s *Statement, i *Instance) {
	w, ok := r.one(s)
	if !ok {
		return
	}
	upper := strings.ToUpper(w.Text)
	if upper == "SLAVE" {
		upper = "BACKUP"
	}
	switch {
	case w.Text == "MASTER" || w.Text == "BACKUP":
	case upper == "MASTER" || upper == "BACKUP":
		r.warn(w.At, "write "+upper, "state %s is taken for %s; keepalived knows MASTER and BACKUP, in capitals, and takes all else for BACKUP", shown(w.Text), upper).
			replace(w.At, upper)
	default:
		do := "write MASTER or BACKUP"
		if near, ok := words.Nearest(upper, []string{"MASTER", "BACKUP"}); ok {
			do, upper = "did you mean "+near+"?", near
		}
		p := r.wrong(w.At, do, "there is no state %q", shown(w.Text))
		if upper == "MASTER" || upper == "BACKUP" {
			p.replace(w.At, upper)
		}
	}
	i.Master = upper == "MASTER"
}

// authentication reads the password. The one line form, in which keepalived overlooks all but the first keyword, is taken as
// it was meant.
func (r *reader) authentication(s *Statement, i *Instance) {
	kind := Word{}
	read := func(s *Statement) {
		w, ok := r.one(s)
		if !ok {
			return
		}
		if s.Keyword() == "auth_type" {
			kind = w
		} else {
			i.places["auth_pass"] = w.At
			r.password(w, i)
		}
	}
	r.each(s.Block.Statements, levels["authentication"], func(one *Statement) {
		if len(one.Words) == 4 && levels["authentication"].has(one.Words[2].Text) && one.Block == nil {
			r.warn(one.Words[2].At, "write each on a line of its own, above all if the other router is keepalived",
				"keepalived reads only the first keyword of a line: it would use no password here, and two masters with it").insert(one.Words[2].At, "\n")
			read(&Statement{Words: one.Words[:2]})
			read(&Statement{Words: one.Words[2:]})
			return
		}
		read(one)
	})
	if kind.At.Line > 0 {
		i.places["auth_type"] = kind.At
	}
	switch strings.ToUpper(kind.Text) {
	case "PASS":
		if kind.Text != "PASS" {
			r.wrong(kind.At, "write PASS", "auth_type is written in capitals: keepalived uses no password with %s", shown(kind.Text)).replace(kind.At, "PASS")
		}
	case "AH":
		r.wrong(kind.At, "write PASS on both hosts, or use unicast_peer with check_unicast_src", "auth_type AH is not supported")
	case "":
		r.wrong(s.At(), "write auth_type PASS into it, or take the block away", "authentication has no auth_type")
	default:
		r.wrong(kind.At, "write PASS, or take the block away", "there is no auth_type %q", shown(kind.Text))
	}
	if _, given := i.places["auth_pass"]; !given && kind.Text != "" {
		r.wrong(s.At(), "write auth_pass and the password into it, or take the block away", "authentication has no auth_pass")
	}
}

// password takes as much of it as goes into an advertisement.
func (r *reader) password(w Word, i *Instance) {
	const most = 8
	text := w.Text
	if w.cut {
		r.warn(w.At, "write the password in double quotes if that is part of it", "a comment begins within the password, at # or !")
	}
	if len(text) > most {
		r.warn(w.At, "nothing, if the other hosts' files have the same; keepalived does so too", "only the first %d characters of auth_pass count", most)
		text = text[:most]
	}
	if text == "" {
		r.wrong(w.At, "write a password of up to 8 characters", "auth_pass is empty")
	}
	i.Password = words.NewSecret(text)
}

// peers reads the other routers of an instance in unicast.
func (r *reader) peers(s *Statement, i *Instance) {
	i.places["unicast_peer"] = s.At()
	r.each(s.Block.Statements, levels[inList], func(one *Statement) {
		addr, ok := r.address(one.Words[0], "a peer")
		if !ok {
			return
		}
		p := Peer{At: one.At(), Addr: addr, MaxTTL: 255}
		for n := 1; n < len(one.Words); n += 2 {
			switch w := one.Words[n]; {
			case n+1 < len(one.Words) && w.Text == "min_ttl":
				p.MinTTL, _ = r.numberOf(one.Words[n+1], w.Text, 0, 255)
			case n+1 < len(one.Words) && w.Text == "max_ttl":
				p.MaxTTL, _ = r.numberOf(one.Words[n+1], w.Text, 0, 255)
			default:
				r.oneALine(w, "unicast_peer")
				n = len(one.Words)
			}
		}
		if slices.ContainsFunc(i.Peers, func(o Peer) bool { return o.Addr == addr }) {
			r.wrong(p.At, "keep one of them", "unicast_peer has %s twice", addr)
			return
		}
		i.Peers = append(i.Peers, p)
	})
	if len(i.Peers) == 0 && len(s.Block.Statements) == 0 {
		r.wrong(s.At(), "write the other hosts' addresses into it, one a line, or take the block away for multicast",
			"unicast_peer is empty: keepalived falls back to multicast, which clouds drop, and then both hosts are master")
	}
}

// oneALine refuses a second value in a line of a list.
func (r *reader) oneALine(w Word, of string) {
	if _, err := netip.ParseAddr(strings.Split(w.Text, "/")[0]); err == nil {
		r.wrong(w.At, "write each on a line of its own", "%s has several addresses in one line, of which keepalived sees the first", of).insert(w.At, "\n")
		return
	}
	r.wrong(w.At, "take it away", "%s has no such word: %q", of, shown(w.Text))
}

// tracks reads a list of checks, processes or interfaces, each perhaps with a weight.
func (r *reader) tracks(s *Statement) []Track {
	var list []Track
	r.each(s.Block.Statements, levels[inList], func(one *Statement) {
		t := Track{Name: one.Keyword(), At: one.At()}
		if len(one.Words) > 1 {
			if one.Words[1].Text != "weight" {
				r.wrong(one.Words[1].At, "write one name a line, and after it perhaps weight and a number", "%s has no such word: %q", s.Keyword(), shown(one.Words[1].Text))
				return
			}
			t.Weight, _ = r.weight(one.Words[2:], one.Words[1].At, 253)
			t.given = true
		}
		list = append(list, t)
	})
	for n, t := range list {
		if slices.ContainsFunc(list[:n], func(o Track) bool { return o.Name == t.Name }) {
			r.warn(t.At, "keep one of them", "%s has %s twice", s.Keyword(), shown(t.Name))
		}
	}
	if len(s.Block.Statements) == 0 {
		r.warn(s.At(), "write names into it, or take it away", "%s is empty", s.Keyword())
	}
	return list
}

// notify reads the programs that are told of changes, and reports whether the keyword is one of theirs.
func (r *reader) notify(s *Statement, n *Notify) bool {
	into := map[string]**Command{
		"notify_master": &n.Master, "notify_backup": &n.Backup, "notify_fault": &n.Fault, "notify_stop": &n.Stop, "notify_deleted": &n.Deleted,
		"notify": &n.Any, "notify_master_rx_lower_pri": &n.MasterLowerPriority,
	}[s.Keyword()]
	switch {
	case s.Keyword() == "notify_priority_changes":
		n.PriorityChanges = r.flag(s)
	case into == nil:
		return false
	case s.Keyword() == "notify_deleted" && len(s.Words) == 1:
	default:
		*into = r.notified(s)
	}
	return true
}

// notified reads a program with the user and group that it runs as.
func (r *reader) notified(s *Statement) *Command {
	c := r.command(s)
	if c == nil {
		return nil
	}
	if len(s.Words) > 2 {
		c.User = s.Words[2].Text
	}
	if len(s.Words) > 3 {
		c.Group = s.Words[3].Text
	}
	// What follows the program unquoted is a user and a group to keepalived, which then drops the whole line.
	if len(s.Words) > 4 || len(s.Words) > 2 && !userName(s.Words[2].Text) || len(s.Words) > 3 && !userName(s.Words[3].Text) {
		p := r.wrong(s.Words[2].At, "write the program and its arguments in quotes", "%s takes the words after the program for a user and a group", s.Keyword())
		if !slices.ContainsFunc(s.Words[1:], func(w Word) bool { return w.Quoted }) {
			last := s.Words[len(s.Words)-1].At
			p.insert(s.Words[1].At, `"`)
			p.insert(Place{File: last.File, from: last.to, to: last.to}, `"`)
		}
		c.User, c.Group = "", ""
	}
	return c
}

// userName reports whether a word could be a user's: a letter or an underscore first.
func userName(text string) bool {
	for i, c := range text {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
		if !letter && (i == 0 || c != '-' && c != '.' && (c < '0' || c > '9')) {
			return false
		}
	}
	return text != ""
}

// finish looks at one instance as a whole, and fills in what follows from the rest.
func (r *reader) finish(i *Instance) {
	r.ownWeights(i.Scripts, i.Processes)
	title := "vrrp_instance " + shown(i.Name)
	if !i.Given("interface") && i.Interface == "" {
		r.wrong(i.At, "write interface eth0 into it, or default_interface into global_defs", "%s has no interface", title)
	}
	if !i.Given("virtual_router_id") {
		r.wrong(i.At, "write virtual_router_id and a number from 1 to 255 into it, the same on all hosts and no other router's", "%s has no virtual_router_id", title)
	}
	if len(i.VIPs) == 0 && !i.NoVIP && !i.Given("virtual_ipaddress") {
		r.wrong(i.At, "write virtual_ipaddress { and the address into it", "%s has no virtual address", title)
	}
	if i.IPv6() {
		if i.Given("version") && i.Version == 2 {
			r.wrong(i.Place("version"), "write version 3", "version 2 knows no IPv6").replace(i.Place("version"), "3")
		}
		i.Version = 3
	}
	for _, v := range i.VIPs {
		if v.Prefix.Addr().Is6() != i.IPv6() {
			r.wrong(v.At, "write it into virtual_ipaddress_excluded, or into an instance of its own", "%s has addresses of both families", title)
		}
	}
	if !i.Group.IsValid() {
		i.Group = r.defaults.group4
		if i.IPv6() {
			i.Group = r.defaults.group6
		}
	}
	r.timing(i)
	r.preemption(i)
}

// timing looks at the interval and the password in the light of the version.
func (r *reader) timing(i *Instance) {
	const longest = 40950 * time.Millisecond
	switch {
	case i.Version == 2 && i.AdvertInt%time.Second != 0:
		r.wrong(i.Place("advert_int"), "write whole seconds, or version 3 on all hosts", "version 2 counts whole seconds, and keepalived rounds %s", plainSeconds(i.AdvertInt))
	case i.Version == 3 && i.AdvertInt > longest:
		r.wrong(i.Place("advert_int"), "choose 0.01 to 40.95", "advert_int is too long for version 3: %s", plainSeconds(i.AdvertInt))
	case i.Version == 3 && i.AdvertInt%(10*time.Millisecond) != 0:
		r.wrong(i.Place("advert_int"), "choose 0.01 to 40.95, with two decimals at most", "version 3 counts hundredths of a second: %s", plainSeconds(i.AdvertInt))
	}
	if i.Version == 3 && !i.Password.Empty() {
		r.warn(i.Place("authentication"), "take it away, and use unicast_peer with check_unicast_src", "version 3 has no passwords: it is not sent and not looked at")
		i.Password = words.Secret{}
	}
}

// preemption looks at what contradicts nopreempt.
func (r *reader) preemption(i *Instance) {
	if !i.NoPreempt {
		if i.PreemptDelay > 0 && i.Master {
			r.warn(i.Place("preempt_delay"), "write state BACKUP", "keepalived clears preempt_delay beside state MASTER").replace(i.Place("state"), "BACKUP")
		}
		return
	}
	if i.Master {
		r.wrong(i.Place("nopreempt"), "write state BACKUP on all hosts to keep nopreempt, or take nopreempt away",
			"nopreempt does nothing beside state MASTER: keepalived clears it, and this host takes the address back whenever it returns").
			replace(i.Place("state"), "BACKUP")
	}
	if i.PreemptDelay > 0 {
		r.warn(i.Place("preempt_delay"), "take one of them away", "preempt_delay %s does nothing beside nopreempt", plainSeconds(i.PreemptDelay))
	}
	for _, t := range i.checks() {
		if t.Weight.Value != 0 {
			r.wrong(t.At, "take its weight away: then a failed check is a fault, and the address moves",
				"check %s with weight %d can never move the address: beside nopreempt the others go on obeying a master whose priority fell", shown(t.Name), t.Weight.Value)
		}
	}
}
