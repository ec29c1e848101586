package lab

import (
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"redkeep/internal/act/advertise"
	"redkeep/internal/speak/advert"
	"redkeep/internal/stage/clock"
	"redkeep/internal/words"
)

// spoofer is a host that says it had the group's address.
const spoofer = "spoofer"

// spoof sends the group's advertisements from the spoofer, in somebody's name, until the returned function is called.
func (s *Site) spoof(ad advert.Advert, from netip.Addr, to ...netip.Addr) (stop func()) {
	s.t.Helper()
	var hand *advertise.Hand
	s.must(s.Host(spoofer).Do(func() {
		var err error
		hand, err = advertise.Open(advertise.Config{Dev: "eth0"})
		s.must(err)
	}))
	ended, end := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for turn := time.NewTicker(50 * time.Millisecond); ; {
			for _, a := range to {
				_ = hand.Send(&ad, from, a) // the network of a test that has ended
			}
			select {
			case <-end:
				turn.Stop()
				_ = hand.Close()
				return
			case <-turn.C:
			}
		}
	}()
	return func() { close(end); <-ended }
}

// TestPairSpoofed has a host that is no node advertise the group's address with the highest priority, to the group and to both nodes; and
// then leave with priority 0. It is named, and the master keeps its lease, its address and its data.
func TestPairSpoofed(t *testing.T) {
	s := newSite(t, Plan{Hosts: []string{"h1", "h2"}, AppendOnly: true, Guests: []string{spoofer}})
	w := s.settled()
	m := s.awaitReady(10 * time.Second)
	o := s.others(m)[0]
	epoch, at := s.epoch(m), clock.Now()
	multicast := netip.MustParseAddr("224.0.0.18")
	for _, way := range []struct {
		name     string
		priority uint8
		to       []netip.Addr
	}{
		{"multicast", 255, []netip.Addr{multicast}}, {"unicast", 255, []netip.Addr{s.addr(m), s.addr(o)}},
		{"leaving", 0, []netip.Addr{multicast, s.addr(m), s.addr(o)}},
	} {
		stop := s.spoof(advert.Advert{Version: 3, VRID: 100, Priority: way.priority, Interval: 100 * time.Millisecond, Addresses: s.vips()}, s.Host(spoofer).Addr(), way.to...)
		for _, h := range []string{m, o} {
			s.await(5*time.Second, "word of the spoofer at "+h+", "+way.name, func() bool {
				why, ok := s.waitsFor(h, words.AdvertWrong)
				return ok && strings.HasPrefix(why.Text, s.Host(spoofer).Addr().String())
			})
			if log := tail(filepath.Join(s.Host(h).Dir(), "redkeep.log"), 12000); !strings.Contains(log, "msg=advert-wrong") || !strings.Contains(log, s.Host(spoofer).Addr().String()) {
				t.Errorf("the log of %s does not name the spoofer", h)
			}
		}
		why, _ := s.waitsFor(m, words.AdvertWrong)
		t.Logf("%s: %s", way.name, why)
		time.Sleep(2 * s.plan.Lease)
		if s.epoch(m) != epoch || !s.address(m) {
			t.Fatalf("%s: %s has epoch %d, it had %d", way.name, m, s.epoch(m), epoch)
		}
		if way.name == "unicast" {
			// A master whose server dies needs no vote of the segment's: the other agent has one.
			_, err := s.redis[m].Kill()
			s.must(err)
			s.awaitWrites(w, 5*time.Second)
			s.must(s.redis[m].Restart(t.Context()))
			stop()
			m, o = o, m
			s.await(5*time.Second, o+" as a replica", func() bool { return s.linkUp(o) })
			epoch = s.epoch(s.awaitReady(10 * time.Second))
			continue
		}
		stop()
		s.await(5*time.Second, "end of the alarm", func() bool { _, ok := s.waitsFor(m, words.AdvertWrong); return !ok })
	}
	n := &numbers{name: "pair with a spoofer and a kill, longest gap"}
	s.measure(w, at, n)
	t.Log(n)
	s.nearlyLossless(w, 1)
}

// TestPairForged has a host that is no node advertise in the replica's name. The master keeps its lease, and says whose name it is.
func TestPairForged(t *testing.T) {
	s := newSite(t, Plan{Hosts: []string{"h1", "h2"}, AppendOnly: true, Guests: []string{spoofer}})
	w := s.settled()
	m := s.awaitReady(10 * time.Second)
	o := s.others(m)[0]
	epoch, at := s.epoch(m), clock.Now()
	// It has the replica's address for its packets alone, and answers nobody for it.
	s.run(spoofer, "sysctl", "-qw", "net.ipv4.conf.all.arp_ignore=1", "net.ipv4.conf.all.arp_announce=2")
	s.run(spoofer, "ip", "address", "add", s.addr(o).String()+"/32", "dev", "lo")
	stop := s.spoof(advert.Advert{Version: 3, VRID: 100, Priority: 255, Interval: 340 * time.Millisecond, Addresses: s.vips()}, s.addr(o), s.addr(m))
	s.await(5*time.Second, "word of the forgeries", func() bool {
		why, ok := s.waitsFor(m, words.AdvertForged)
		return ok && string(why.Node) == o
	})
	time.Sleep(2 * s.plan.Lease)
	if !strings.Contains(tail(filepath.Join(s.Host(m).Dir(), "redkeep.log"), 12000), "msg=advert-forged") {
		t.Errorf("the log of %s does not tell of them", m)
	}
	if now := s.epoch(m); now != epoch || !s.address(m) {
		t.Errorf("%s has epoch %d, it had %d; the address: %v", m, now, epoch, s.address(m))
	}
	stop()
	n := &numbers{name: "advertisements forged in the replica's name"}
	s.bound(n.name, s.measure(w, at, n).Length(), 50*time.Millisecond)
	s.lossless(w)
}

// TestPairForgedLeaving filters the agents' port between the two, and then has somebody say in the master's name that its time is over. The other
// node hears it, and the master's advertisements too.
func TestPairForgedLeaving(t *testing.T) {
	s := newSite(t, Plan{Hosts: []string{"h1", "h2"}, AppendOnly: true})
	w := s.settled()
	m := s.awaitReady(10 * time.Second)
	o := s.others(m)[0]
	epoch := s.epoch(m)
	hear := s.deafenAgent(o)
	time.Sleep(2 * s.plan.Lease)
	s.must(s.Host(m).Do(func() { // whose address any host can write into a packet
		hand, err := advertise.Open(advertise.Config{Dev: "eth0"})
		s.must(err)
		defer hand.Close()
		ad := advert.Advert{Version: 3, VRID: 100, Interval: 340 * time.Millisecond, Addresses: s.vips()}
		for range 3 {
			s.must(hand.Send(&ad, s.addr(m), s.addr(o)))
			time.Sleep(10 * time.Millisecond)
		}
	}))
	time.Sleep(s.plan.Lease)
	if now := s.epoch(m); now != epoch || !s.address(m) || s.address(o) {
		t.Fatalf("%s has epoch %d, it had %d; address on %s %v, on %s %v", m, now, epoch, m, s.address(m), o, s.address(o))
	}
	hear()
	s.lossless(w)
}

// deafenAgent has the packet filter of a host drop what other agents say, and nothing else, until it hears again.
func (s *Site) deafenAgent(host string) (hear func()) {
	s.t.Helper()
	s.run(host, "nft", "add table ip filtered; add chain ip filtered in { type filter hook input priority 0; }; "+
		"add rule ip filtered in udp dport 26380 drop; add rule ip filtered in tcp dport 26380 drop")
	return func() { s.run(host, "nft", "delete table ip filtered") }
}
