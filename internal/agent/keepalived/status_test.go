package keepalived

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"redkeep/internal/decide/vrrp"
	"redkeep/internal/stage/cell"
)

const (
	tracksOnEth0 = "vrrp_script chk {\nscript /bin/false\nweight -30\n}\nvrrp_script late {\nscript /bin/true\nweight 5\n}\n" +
		"vrrp_instance a {\ninterface eth0\nvirtual_router_id 1\npriority 150\ntrack_script {\nchk\nlate\n}\nvirtual_ipaddress {\n10.77.0.100/24\n}\n}\n"
	otherInterval = 2 * time.Second
)

// TestStatus is all that a person asks of a router: its way to the address, a check that has failed, and a router that it holds back for.
func TestStatus(t *testing.T) {
	cell.Open(t)
	cable(t, "eth0", "10.77.0.1/24")
	cable(t, "eth1", "10.78.0.1/24")
	d := opened(t, tracksOnEth0)
	d.onResult(scriptName("chk"), false)
	var one Instance
	look := func() Instance {
		s := d.status()
		s.lookUp()
		if len(s.Instances) != 1 || s.PID != os.Getpid() {
			t.Fatalf("%+v", s)
		}
		one = s.Instances[0]
		return one
	}
	if look(); one.State != "INIT" || !one.Since.IsZero() || len(one.Checks) < 2 || one.Priority != 120 || one.Configured != 150 {
		t.Errorf("at the beginning: %+v", one)
	}
	d.onResult(scriptName("late"), true)
	peer := netip.MustParseAddr("10.77.0.2")
	d.until("a to wait", d.is("a", vrrp.Backup))
	d.step(vrrp.Heard{Link: "eth0", From: peer, To: netip.MustParseAddr("224.0.0.18"), Hops: 255, Advert: vrrp.Advert{
		Version: 2, VRID: 1, Priority: 100, Interval: otherInterval, Addresses: []netip.Addr{netip.MustParseAddr("10.77.0.100")},
	}})
	d.until("a to hold back", func() bool { return look().Held })
	want := Trouble{What: "interval", Peer: peer.String(), Ours: "1s", Theirs: "2s", Text: "interval of 10.77.0.2: 2s, ours 1s"}
	if len(one.Troubles) != 1 || one.Troubles[0] != want || one.State != "BACKUP" || one.Here || one.Addresses[0].Here || one.Since.IsZero() {
		t.Errorf("holding back: %+v", one)
	}
	if len(one.Checks) != 1 || one.Checks[0] != (Check{Name: "script chk", Weight: -30}) || one.Priority != 125 {
		t.Errorf("the checks: %+v", one)
	}
	d.step(vrrp.Heard{Link: "eth0", From: peer, To: netip.MustParseAddr("224.0.0.18"), Hops: 255, Advert: vrrp.Advert{
		Version: 2, VRID: 1, Interval: otherInterval, Addresses: []netip.Addr{netip.MustParseAddr("10.77.0.100")},
	}})
	d.until("a to be the master", d.is("a", vrrp.Master))
	if look(); !one.Here || one.Master != "10.77.0.1" || one.Held || len(one.Troubles) != 0 || len(one.Addresses) != 1 || !one.Addresses[0].Here {
		t.Errorf("as the master: %+v", one)
	}
}

// TestAskProcesses is that each process of a namespace answers at a place of its own, which a dead one's socket does not keep.
func TestAskProcesses(t *testing.T) {
	cell.Open(t)
	cable(t, "eth0", "10.77.0.1/24")
	cable(t, "eth1", "10.78.0.1/24")
	dir, err := os.MkdirTemp("", "redkeep") // A socket's path is short.
	must(t, err)
	t.Cleanup(func() { must(t, os.RemoveAll(dir)) })
	own, err := claimsIn(dir)
	must(t, err)
	if all, err := askIn(context.Background(), own); !errors.Is(err, ErrNotRunning) {
		t.Errorf("nobody is there: %v, %v", all, err)
	}
	must(t, makeOwn(own))
	left, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(own, "process-0.sock"), Net: "unix"})
	must(t, err)
	left.SetUnlinkOnClose(false)
	must(t, left.Close())
	if all, err := askIn(context.Background(), own); !errors.Is(err, ErrNotRunning) {
		t.Errorf("a dead one is there: %v, %v", all, err)
	}
	beside := func(text string) *desk {
		d := newDesk(t, parsed(t, text))
		d.options.RunDir = dir
		must(t, d.open())
		d.step(vrrp.Began{})
		return d
	}
	first, second := beside(onEth0), beside(onEth1)
	type answer struct {
		all []Status
		err error
	}
	answers := make(chan answer, 1)
	go func() { // Ends with the answers, which have their time.
		all, err := askIn(context.Background(), own)
		answers <- answer{all, err}
	}()
	limit, got := time.After(patience), (*answer)(nil)
	for got == nil {
		select {
		case do := <-first.mail:
			do()
		case do := <-second.mail:
			do()
		case a := <-answers:
			got = &a
		case <-limit:
			t.Fatal("no answer")
		}
	}
	if got.err != nil || len(got.all) != 2 || got.all[0].Instances[0].Name != "a" || got.all[1].Instances[0].Name != "b" {
		t.Errorf("%+v", got)
	}
	if i, err := os.Stat(filepath.Join(own, "process-0.sock")); err != nil || i.Mode() != os.ModeSocket|0o600 {
		t.Errorf("%v, %v", i, err)
	}
	if i, err := os.Stat(own); err != nil || i.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", i, err)
	}
}
