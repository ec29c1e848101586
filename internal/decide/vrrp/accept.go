package vrrp

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"redkeep/internal/words"
)

// rival is a peer with a trouble.
type rival struct {
	trouble Trouble
	until   words.Instant
}

// heard takes an advertisement with this router's number.
func (r *router) heard(e Heard) {
	if e.From == r.conf.Source || r.state == Initialize || r.state == Fault || r.state == Stopped {
		return
	}
	if t := r.judge(e); t.What != 0 {
		t.Peer = e.From
		r.meet(t, e)
		if t.What.holds() && r.state == Master {
			r.clash(e)
		}
		return
	}
	if r.conf.unicast() && !slices.Contains(r.conf.Peers, e.From) {
		r.meet(Trouble{What: Stranger, Peer: e.From, Theirs: "heard, since any source is"}, e)
	} else {
		r.part(e.From)
	}
	if r.state == Master {
		r.heardAsMaster(e.From, e.Advert)
	} else {
		r.heardAsBackup(e.From, e.Advert)
	}
}

// judge says why an advertisement can't be accepted: RFC 5798 and RFC 3768, section 7.1, and what keepalived drops besides.
func (r *router) judge(e Heard) Trouble {
	c, a := &r.conf, &e.Advert
	group := e.To.IsMulticast()
	switch {
	case c.unicast() && !c.AnySource && !slices.Contains(c.Peers, e.From):
		if c.MindStrangers && e.Hops == 255 {
			return Trouble{What: Unlisted, Theirs: "on the segment, so that this host holds back"}
		}
		return Trouble{What: Stranger}
	case c.unicast() && !c.within(e.From, e.Hops):
		return Trouble{What: Distant, Ours: "as its line says", Theirs: strconv.Itoa(e.Hops)}
	case group && e.Hops != 255, !c.unicast() && e.Hops != 255:
		return Trouble{What: Distant, Ours: "255", Theirs: strconv.Itoa(e.Hops)}
	case c.unicast() == group:
		return Trouble{What: OtherCast, Ours: cast(c.unicast()), Theirs: cast(!group)}
	case e.Broken != "":
		return Trouble{What: Unreadable, Theirs: e.Broken}
	case a.Version != c.Version:
		return Trouble{What: OtherVersion, Ours: strconv.Itoa(int(c.Version)), Theirs: strconv.Itoa(int(a.Version))}
	case c.Version == 2 && a.Auth != c.Auth:
		return Trouble{What: OtherAuth, Ours: c.Auth.String(), Theirs: a.Auth.String()}
	case c.Version == 2 && c.Auth == Password && !sameSecret(a.Secret, c.Secret):
		return Trouble{What: OtherPassword}
	case c.Version == 2 && a.Interval != c.Interval:
		return Trouble{What: OtherInterval, Ours: c.Interval.String(), Theirs: a.Interval.String()}
	case !sameAddresses(a.Addresses, c.Addresses):
		return Trouble{What: OtherAddresses, Ours: list(c.Addresses), Theirs: list(a.Addresses)}
	case c.Version == 3 && !c.six() && a.PlainSum != c.PlainSum:
		return Trouble{What: OtherSum, Ours: form(c.PlainSum), Theirs: form(a.PlainSum)}
	}
	return Trouble{}
}

// within reports whether what came from a peer may have come from there.
func (r *Router) within(from netip.Addr, hops int) bool {
	i := slices.Index(r.Peers, from)
	return i < 0 || i >= len(r.Reach) || hops >= r.Reach[i].Least && hops <= r.Reach[i].Most
}

// meet notes a troublesome peer, for as long as a backup would wait for it; told is what was not told yet.
func (r *router) meet(t Trouble, e Heard) {
	interval := max(r.conf.Interval, e.Advert.Interval)
	until := r.m.now.Add(masterDown(r.conf.DownAdverts, r.conf.Version, r.priority(), interval))
	if e.Broken == "" && e.Advert.Priority == leaving && t.What.holds() {
		r.part(e.From)
		if r.held {
			r.downAt = min(r.downAt, r.m.now.Add(r.skew()))
		}
		return
	}
	i := r.rivalAt(e.From)
	if i < 0 && len(r.rivals) == mostRivals && t.What.holds() {
		// Those who hold back count more than those whom anybody can make up.
		if other := slices.IndexFunc(r.rivals, func(v rival) bool { return !v.trouble.What.holds() }); other >= 0 {
			r.end(other)
		}
	}
	switch {
	case i < 0 && len(r.rivals) == mostRivals:
		return
	case i < 0:
		r.rivals = append(r.rivals, rival{t, until})
	case r.rivals[i].trouble.What.holds() && !t.What.holds():
		return // What anybody can send must not end what holds back.
	default:
		known := r.rivals[i].trouble == t
		r.rivals[i] = rival{t, until}
		if known {
			return
		}
	}
	r.m.do(Report{ID: r.conf.ID, Trouble: t})
}

// part forgets a peer's trouble: it can be understood, or it left.
func (r *router) part(peer netip.Addr) {
	if i := r.rivalAt(peer); i >= 0 {
		r.end(i)
	}
}

// forgetRivals forgets those that have been silent for long enough.
func (r *router) forgetRivals() {
	for i := len(r.rivals) - 1; i >= 0; i-- {
		if r.m.now >= r.rivals[i].until {
			r.end(i)
		}
	}
}

func (r *router) end(i int) {
	r.m.do(Report{ID: r.conf.ID, Trouble: r.rivals[i].trouble, Over: true})
	r.rivals = slices.Delete(r.rivals, i, i+1)
}

func (r *router) rivalAt(peer netip.Addr) int {
	return slices.IndexFunc(r.rivals, func(v rival) bool { return v.trouble.Peer == peer })
}

// heldUntil is when the last of those is silent that this host must not be a second master beside; 0 if there is none.
func (r *router) heldUntil() words.Instant {
	var until words.Instant
	for _, v := range r.rivals {
		if v.trouble.What.holds() {
			until = max(until, v.until)
		}
	}
	return until
}

// troubles lists them all.
func (r *router) troubles() []Trouble {
	var all []Trouble
	if r.refusal != (Trouble{}) {
		all = append(all, r.refusal)
	}
	for _, v := range r.rivals {
		all = append(all, v.trouble)
	}
	return all
}

// sameSecret compares what fits on the wire.
func sameSecret(a, b words.Secret) bool {
	const onWire = 8
	cut := func(s words.Secret) string {
		text := s.Reveal()
		return strings.TrimRight(text[:min(len(text), onWire)], "\x00")
	}
	return cut(a) == cut(b)
}

// sameAddresses compares without their order, which RFC 5798 leaves open.
func sameAddresses(a, b []netip.Addr) bool {
	if len(a) != len(b) {
		return false
	}
	for _, addr := range a {
		if !slices.Contains(b, addr) {
			return false
		}
	}
	return true
}

func list(addrs []netip.Addr) string {
	var s []string
	for _, a := range addrs {
		s = append(s, a.String())
	}
	return strings.Join(s, " ")
}

func cast(unicast bool) string {
	if unicast {
		return "unicast"
	}
	return "multicast"
}

func form(plain bool) string {
	if plain {
		return "without pseudo-header"
	}
	return "with pseudo-header"
}
