package keepalivedconf

import (
	"net/netip"
	"time"
)

// defaults are what global_defs says for instances that don't say it themselves.
type defaults struct {
	iface                     string
	version, downTimerAdverts int
	group4, group6            netip.Addr
	checkSource, anySource    bool
	lowerNoAdvert             bool
	higherAdvert              bool
	priorityChanges           bool
	announce                  Announce
}

// usual are keepalived's own.
func usual() defaults {
	return defaults{
		version: 2, downTimerAdverts: 3, group4: netip.AddrFrom4([4]byte{224, 0, 0, 18}), group6: netip.MustParseAddr("ff02::12"),
		announce: Announce{Delay: 5 * time.Second, Repeat: 5, RefreshRepeat: 1, LowerDelay: 5 * time.Second, LowerRepeat: 5},
	}
}

// top reads what stands outside of all blocks: global_defs first, since instances take from it what they don't say.
func (r *reader) top(statements []*Statement) {
	r.defaults = usual()
	var later []*Statement
	r.each(statements, topLevel(), func(s *Statement) {
		if s.Keyword() == "global_defs" {
			r.each(s.Block.Statements, levels["global_defs"], func(s *Statement) { r.global(s, &r.config.Global) })
		} else {
			later = append(later, s)
		}
	})
	// Checks may be written after those that use them.
	for _, s := range later {
		switch s.Keyword() {
		case "vrrp_script":
			r.script(s)
		case "vrrp_track_process":
			r.process(s)
		}
	}
	for _, s := range later {
		switch s.Keyword() {
		case "vrrp_instance":
			r.instance(s)
		case "vrrp_sync_group":
			r.syncGroup(s)
		}
	}
}

// global reads one keyword of global_defs.
func (r *reader) global(s *Statement, g *Global) {
	d := &r.defaults
	switch keyword := s.Keyword(); keyword {
	case "router_id":
		_, _ = r.one(s) // A name for mails and SNMP, which no router says to another.
	case "script_user":
		if w, ok := r.user(s); ok {
			g.ScriptUser = w
			if len(s.Words) > 2 {
				g.ScriptGroup = s.Words[2].Text
			}
		}
	case "enable_script_security":
		g.ScriptSecurity = true
	case "dynamic_interfaces":
		g.DynamicInterfaces = true
	case "default_interface":
		if w, ok := r.one(s); ok {
			d.iface, _ = r.device(w, keyword)
		}
	case "vrrp_version":
		r.set(&d.version, s, 2, 3)
	case "vrrp_mcast_group4":
		r.group(&d.group4, s, true)
	case "vrrp_mcast_group6":
		r.group(&d.group6, s, false)
	case "vrrp_check_unicast_src":
		d.checkSource, d.anySource = r.sourceCheck(s)
	case "vrrp_down_timer_adverts":
		r.set(&d.downTimerAdverts, s, 1, 100)
	case "vrrp_startup_delay":
		g.StartupDelay, _ = r.seconds(s, 0, time.Hour)
	case "vrrp_delay_after_boot":
		g.DelayAfterBoot, _ = r.seconds(s, 0, time.Hour)
	case "vrrp_lower_prio_no_advert":
		d.lowerNoAdvert = r.flag(s)
	case "vrrp_higher_prio_send_advert":
		d.higherAdvert = r.flag(s)
	case "vrrp_notify_priority_changes":
		d.priorityChanges = r.flag(s)
	case "vrrp_min_garp":
		if r.flag(s) {
			d.announce = Announce{Repeat: 1, RefreshRepeat: 1, LowerRepeat: 1}
		}
	case "vrrp_notify_fifo":
		r.fifo(s, &g.VRRPFifo)
	case "notify_fifo":
		r.fifo(s, &g.Fifo)
	case "vrrp_notify_fifo_script":
		g.VRRPFifo.Script = r.notified(s)
	case "notify_fifo_script":
		g.Fifo.Script = r.notified(s)
	default:
		r.announce(s, &d.announce, "vrrp_")
	}
}

// set reads a number into a variable.
func (r *reader) set(into *int, s *Statement, least, most int) {
	if n, ok := r.number(s, least, most); ok {
		*into = n
	}
}

// group reads a multicast group.
func (r *reader) group(into *netip.Addr, s *Statement, v4 bool) {
	w, ok := r.one(s)
	if !ok {
		return
	}
	if addr, ok := r.address(w, s.Keyword()); ok {
		if !addr.IsMulticast() || addr.Is4() != v4 {
			r.wrong(w.At, "leave it out for VRRP's own group", "%s is no multicast group of that family: %s", s.Keyword(), shown(w.Text))
			return
		}
		*into = addr
	}
}

// user reads the name of a user.
func (r *reader) user(s *Statement) (string, bool) {
	if len(s.Words) < 2 {
		r.wrong(s.At(), "write a user after it, and perhaps a group", "%s names nobody", s.Keyword())
		return "", false
	}
	r.noMore(s, 3)
	return s.Words[1].Text, true
}

// fifo reads a named pipe's path.
func (r *reader) fifo(s *Statement, into *Fifo) {
	if len(s.Words) < 2 || s.Words[1].Text == "" || s.Words[1].Text[0] != '/' {
		r.wrong(s.At(), "write an absolute path after it", "%s names no pipe", s.Keyword())
		return
	}
	r.noMore(s, 4)
	into.Path = s.Words[1].Text
}

// announce reads the keywords that say how often addresses are announced; those of global_defs have a prefix.
func (r *reader) announce(s *Statement, a *Announce, prefix string) {
	seconds := func(into *time.Duration) {
		if n, ok := r.number(s, 0, 86400); ok {
			*into = time.Duration(n) * time.Second
		}
	}
	switch s.Keyword() {
	case prefix + "garp_master_delay":
		seconds(&a.Delay)
	case prefix + "garp_master_repeat":
		r.set(&a.Repeat, s, 1, 1000)
	case prefix + "garp_master_refresh":
		seconds(&a.Refresh)
	case prefix + "garp_master_refresh_repeat":
		r.set(&a.RefreshRepeat, s, 1, 1000)
	case prefix + "garp_lower_prio_delay":
		seconds(&a.LowerDelay)
	case prefix + "garp_lower_prio_repeat":
		r.set(&a.LowerRepeat, s, 0, 1000)
	}
}
