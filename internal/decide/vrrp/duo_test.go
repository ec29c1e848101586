package vrrp

import (
	"net/netip"
	"testing"
	"time"
)

// duo is two hosts with two routers each, which move together, on two segments without a delay.
type duo struct {
	hosts [2]*bench
	mail  [2][]Heard
	// cut are segments that carry nothing.
	cut map[string]bool
}

// newDuo makes hosts of these priorities, in the order of their segments.
func newDuo(t *testing.T, priorities ...[2]uint8) *duo {
	d := &duo{cut: map[string]bool{}}
	for i, p := range priorities {
		addr := [2]netip.Addr{below, above}[i]
		router := func(id ID, link string, vrid, p uint8) Router {
			return three(priority(p), func(r *Router) { r.ID, r.Link, r.VRID, r.Source = id, link, vrid, addr }, tracks(Track{Name: link}))
		}
		b := newBenchOf(t, Setup{
			Routers: []Router{router("redis", "eth0", 51, p[0]), router("other", "eth1", 52, p[1])}, Groups: []Group{{Members: []ID{"redis", "other"}}},
		})
		b.sends = func(a Advertise) {
			if !d.cut[a.Link] {
				d.mail[1-i] = append(d.mail[1-i], Heard{Link: a.Link, From: a.From, To: a.To[0], Hops: 255, Advert: a.Advert})
			}
		}
		d.hosts[i] = b
	}
	for _, b := range d.hosts {
		b.step(Tracked{"eth0", true})
		b.step(Tracked{"eth1", true})
		b.step(Began{})
	}
	return d
}

func (d *duo) pass(span time.Duration) {
	end := d.hosts[0].now.Add(span)
	for {
		d.deliver()
		next := min(d.hosts[0].m.Wake(), d.hosts[1].m.Wake())
		if next > end {
			break
		}
		for _, b := range d.hosts {
			b.now = max(b.now, next)
			b.step(Passed{})
		}
	}
	for _, b := range d.hosts {
		b.now = end
	}
}

func (d *duo) deliver() {
	for len(d.mail[0])+len(d.mail[1]) > 0 {
		for i, b := range d.hosts {
			letters := d.mail[i]
			d.mail[i] = nil
			for _, l := range letters {
				b.step(l)
			}
		}
	}
}

func TestGroupsOfTwoHosts(t *testing.T) {
	d := newDuo(t, [2]uint8{150, 150}, [2]uint8{100, 50})
	d.pass(5 * time.Second)
	d.hosts[0].are(Master, Master)
	d.hosts[1].are(Backup, Backup)

	d.hosts[0].step(Tracked{"eth1", false}) // Both are invited.
	d.pass(time.Second)
	d.hosts[0].are(Fault, Fault)
	d.hosts[1].are(Master, Master)

	d.hosts[0].step(Tracked{"eth1", true}) // Both are preempted.
	d.pass(5 * time.Second)
	d.hosts[0].are(Master, Master)
	d.hosts[1].are(Backup, Backup)
}

// TestAGroupBesideAHalfCut is that a segment which carries nothing does not have a backup rise and fall for ever.
func TestAGroupBesideAHalfCut(t *testing.T) {
	d := newDuo(t, [2]uint8{150, 150}, [2]uint8{100, 100})
	d.pass(5 * time.Second)
	d.cut["eth1"] = true
	d.hosts[1].did = nil
	d.pass(time.Minute)
	d.hosts[0].are(Master, Master)
	d.hosts[1].are(Backup, Backup)
	d.hosts[1].done()
	d.cut["eth0"] = true
	d.pass(4 * time.Second)
	d.hosts[1].are(Master, Master)
}

// TestCrossedPrioritiesInAGroup settle, whoever was first.
func TestCrossedPrioritiesInAGroup(t *testing.T) {
	d := newDuo(t, [2]uint8{150, 50}, [2]uint8{100, 100})
	d.pass(20 * time.Second)
	for _, b := range d.hosts {
		b.did = nil
	}
	d.pass(time.Minute)
	masters := 0
	for _, b := range d.hosts {
		views := b.m.View()
		if views[0].State != views[1].State {
			t.Errorf("parted: %+v", views)
		}
		if views[0].State == Master {
			masters++
		}
		if n := count[Turned](b); n != 0 {
			t.Errorf("%d changes in a minute", n)
		}
	}
	if masters != 1 {
		t.Errorf("%d masters", masters)
	}
}
