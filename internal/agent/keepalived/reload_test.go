package keepalived

import (
	"context"
	"log/slog"
	"net/netip"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sync/errgroup"

	"redkeep/internal/act/advertise"
	"redkeep/internal/act/link"
	"redkeep/internal/decide/vrrp"
	"redkeep/internal/speak/keepalivedconf"
	"redkeep/internal/stage/cell"
)

// desk is a process in a network namespace of its own, whose loop is the test's.
type desk struct {
	*process
	t *testing.T
}

// cable makes a device that is up, with an address, and the device at its other end.
func cable(t *testing.T, dev, cidr string) {
	t.Helper()
	attrs := netlink.NewLinkAttrs()
	attrs.Name = dev
	must(t, netlink.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: "to" + dev}))
	cell.Raise(t, dev, "to"+dev)
	cell.Address(t, dev, cidr)
	// Both ends are in one namespace, where the sender's address is the receiver's own.
	must(t, os.WriteFile("/proc/sys/net/ipv4/conf/to"+dev+"/accept_local", []byte("1"), 0o644))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// newDesk is a process that has not begun yet.
func newDesk(t *testing.T, conf *keepalivedconf.Config) *desk {
	t.Helper()
	p := &process{
		log: slog.New(slog.DiscardHandler), conf: conf, mail: make(chan func(), mailbox), ended: make(chan struct{}), mend: time.NewTimer(time.Hour),
		routers: map[vrrp.ID]*router{}, sockets: map[segment]*socket{}, links: map[string]link.Device{}, results: map[string]bool{},
		claims: map[string]*claim{},
	}
	ctx, cancel := context.WithCancel(context.Background())
	p.work, p.ctx = errgroup.WithContext(ctx)
	t.Cleanup(func() {
		close(p.ended)
		cancel()
		must(t, p.work.Wait())
		p.close()
	})
	return &desk{p, t}
}

// opened is one that has begun.
func opened(t *testing.T, text string) *desk {
	t.Helper()
	d := newDesk(t, parsed(t, text))
	must(t, d.open())
	d.step(vrrp.Began{})
	return d
}

// until does what the loop does, until something is so.
func (d *desk) until(what string, so func() bool) {
	d.t.Helper()
	limit := time.After(patience)
	for !so() {
		select {
		case do := <-d.mail:
			do()
		case <-time.After(d.untilWake()):
			d.step(vrrp.Passed{})
		case <-limit:
			d.t.Fatalf("waited %v for %s; there is %+v", patience, what, d.machine.View())
		}
	}
}

// is reports whether a router is in a state, and done with what belongs to it.
func (d *desk) is(id vrrp.ID, s vrrp.State) func() bool {
	return func() bool {
		for _, v := range d.machine.View() {
			if v.ID == id {
				return v.State == s && (v.Step == vrrp.Idle || v.Step == vrrp.Standing)
			}
		}
		return false
	}
}

// hear is the advertisements' priorities that come out of a device.
func hear(t *testing.T, dev string) <-chan uint8 {
	t.Helper()
	priorities := make(chan uint8, 1024)
	hand, err := advertise.Open(advertise.Config{Dev: "to" + dev, OnHeard: func(h advertise.Heard) { priorities <- h.Advert.Priority }})
	must(t, err)
	done := make(chan error, 1)
	go func() { done <- hand.Run(context.Background()) }() // Ends with the hand.
	t.Cleanup(func() { must(t, hand.Close()); must(t, <-done) })
	return priorities
}

// said waits for an advertisement of a priority.
func said(t *testing.T, priorities <-chan uint8, want uint8) {
	t.Helper()
	limit := time.After(patience)
	for {
		select {
		case got := <-priorities:
			if got == want {
				return
			}
		case <-limit:
			t.Fatalf("nobody said priority %d", want)
		}
	}
}

const (
	onEth0 = "vrrp_instance a {\ninterface eth0\nvirtual_router_id 1\npriority 255\nvirtual_ipaddress {\n10.77.0.100\n}\n}\n"
	onEth1 = "vrrp_instance b {\ninterface eth1\nvirtual_router_id 2\nvirtual_ipaddress {\n10.78.0.100\n}\n}\n"
)

// TestAReloadLetsEverybodySayTheirLast is a router that was the last one on its device, and that the file has no more: its segment stays open
// until it has invited the others. A process that is told to end meanwhile waits for that.
func TestAReloadLetsEverybodySayTheirLast(t *testing.T) {
	cell.Open(t)
	cable(t, "eth0", "10.77.0.1/24")
	cable(t, "eth1", "10.78.0.1/24")
	heard := hear(t, "eth0")
	d := opened(t, onEth0+onEth1)
	d.until("a to be the master", d.is("a", vrrp.Master))
	d.reload(parsed(t, onEth1))
	d.leaving = true
	d.step(vrrp.Stop{})
	if d.stopped() {
		t.Error("it ends before a has left")
	}
	d.until("a to be gone", d.stopped)
	said(t, heard, 0)
	if n := len(d.sockets); n != 1 {
		t.Errorf("%d sockets are open", n)
	}
}

// TestAReloadThatFailsChangesNothing is one whose last router can't be opened.
func TestAReloadThatFailsChangesNothing(t *testing.T) {
	cell.Open(t)
	cable(t, "eth0", "10.77.0.1/24")
	cable(t, "eth1", "10.78.0.1/24")
	heard := hear(t, "eth0")
	d := opened(t, onEth0)
	d.until("a to be the master", d.is("a", vrrp.Master))
	socket, following, conf := d.sockets[segment{"eth0", false}], d.following, d.conf

	broken := parsed(t, onEth0+onEth1)
	broken.Instances[0].Group = netip.MustParseAddr("224.0.0.118") // It wants another socket.
	broken.Instances[1].VIPs[0].Prefix = netip.Prefix{}
	d.reload(broken)
	if d.sockets[segment{"eth0", false}] != socket || len(d.sockets) != 1 || d.following != following || d.conf != conf || len(d.routers) != 1 {
		t.Errorf("it has changed %+v", d.process)
	}
	d.leaving = true
	d.step(vrrp.Stop{})
	d.until("a to be gone", d.stopped)
	said(t, heard, 0)
}

// TestAReloadKeepsWhatAScriptHasSaid though no instance had it for a while.
func TestAReloadKeepsWhatAScriptHasSaid(t *testing.T) {
	cell.Open(t)
	cable(t, "eth0", "10.77.0.1/24")
	script := "vrrp_script chk {\nscript /bin/true\ninterval 3600\n}\n"
	without, with := parsed(t, script+onEth0), parsed(t, script+onEth0[:len(onEth0)-2]+"track_script {\nchk\n}\n}\n")
	d := opened(t, script+onEth0)
	d.onResult(scriptName("chk"), false)
	for _, c := range []*keepalivedconf.Config{with, without, with} {
		d.reload(c)
	}
	if got := d.status().Instances[0].Checks; !slices.Contains(got, Check{Name: scriptName("chk"), Fault: true}) {
		t.Errorf("%+v", got)
	}
}

// TestAReloadKeepsWhoFollowsASource is an instance that follows its source, which this host has, when another one with another source comes
// before it in the file.
func TestAReloadKeepsWhoFollowsASource(t *testing.T) {
	cell.Open(t)
	cable(t, "eth0", "10.77.0.1/24")
	const follows = "vrrp_instance a {\ninterface eth0\nvirtual_router_id 1\nmcast_src_ip 10.77.0.1\ntrack_src_ip\nvirtual_ipaddress {\n10.77.0.100\n}\n}\n"
	const before = "vrrp_instance z {\ninterface eth0\nvirtual_router_id 2\nmcast_src_ip 10.77.0.9\ntrack_src_ip\nvirtual_ipaddress {\n10.77.0.109\n}\n}\n"
	d := opened(t, follows)
	d.until("a to begin", d.is("a", vrrp.Backup))
	d.reload(parsed(t, before+follows))
	faulty := false
	d.until("z to be known to have no source", func() bool {
		faulty = faulty || d.is("a", vrrp.Fault)()
		return d.is("z", vrrp.Fault)()
	})
	if faulty || !d.is("a", vrrp.Backup)() {
		t.Error("a was taken for one without its source")
	}
}

// TestADeviceThatComesLater is one that was not there when the routers began: of the advertisements, and of an address alone.
func TestADeviceThatComesLater(t *testing.T) {
	cell.Open(t)
	cable(t, "eth0", "10.77.0.1/24")
	const elsewhere = "virtual_ipaddress_excluded {\n10.79.0.101 dev eth2\n}\n}\n"
	d := newDesk(t, parsed(t, onEth0[:len(onEth0)-2]+elsewhere+onEth1))
	n, err := d.prepare(d.conf, d.firstClaims)
	must(t, err)
	d.machine = vrrp.New(n.setup)
	d.takeSockets(n.sockets)
	for _, r := range n.routers { // Their goroutines would be in another namespace.
		d.routers[r.id] = r
		r.cancel = func() {}
	}
	if d.sockets[segment{"eth1", false}] != nil || d.routers["a"].lacking == nil {
		t.Fatal("the test is none: the device is there already")
	}
	a := d.routers["a"]
	place := func() {
		for len(a.jobs) > 0 {
			(<-a.jobs)(t.Context())
		}
	}
	cable(t, "eth1", "10.78.0.1/24") // Between the opening and the first look.
	d.follow(n.follower)
	d.until("the segment", func() bool { place(); return d.sockets[segment{"eth1", false}] != nil })
	if place(); a.lacking == nil {
		t.Fatal("the test is none: nothing is lacking")
	}
	cable(t, "eth2", "10.79.0.1/24")
	d.until("the address", func() bool { place(); return a.lacking == nil })
}

// TestASegmentThatCanNotBeOpenedIsTriedAgain, and keeps no other one shut.
func TestASegmentThatCanNotBeOpenedIsTriedAgain(t *testing.T) {
	cell.Open(t)
	cable(t, "eth0", "10.77.0.1/24")
	cable(t, "eth1", "10.78.0.1/24")
	d := newDesk(t, parsed(t, onEth0+onEth1))
	group := d.conf.Instances[0].Group
	d.conf.Instances[0].Group = netip.MustParseAddr("10.0.0.1")
	d.mendSockets()
	if d.sockets[segment{"eth0", false}] != nil || d.sockets[segment{"eth1", false}] == nil {
		t.Errorf("open are %v", d.sockets)
	}
	d.conf.Instances[0].Group = group
	select {
	case <-d.mend.C:
		d.mendSockets()
	case <-time.After(patience):
		t.Error("it is not tried again")
	}
	if d.sockets[segment{"eth0", false}] == nil {
		t.Errorf("open are %v", d.sockets)
	}
}
