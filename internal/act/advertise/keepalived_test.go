package advertise

import (
	"bufio"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"redkeep/internal/speak/advert"
	"redkeep/internal/stage/need"
	"redkeep/internal/words"
)

// router is a real keepalived with one virtual router, and what it says of itself.
type router struct {
	t     testing.TB
	cmd   *exec.Cmd
	lines chan string
	ended chan struct{}
	over  bool
}

// keepalived starts one in the present namespace.
func keepalived(t testing.TB, conf string) *router {
	t.Helper()
	if testing.Short() {
		t.Skip("its intervals are seconds")
	}
	path, err := exec.LookPath("keepalived")
	if err != nil {
		path = "/usr/sbin/keepalived"
	}
	if _, err := os.Stat(path); err != nil {
		need.Program(t, "keepalived")
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "keepalived.conf")
	must(t, os.WriteFile(file, []byte(conf), 0o600))
	r := &router{t: t, lines: make(chan string, 4096), ended: make(chan struct{})}
	r.cmd = exec.Command(path, "-n", "-l", "-D", "-P", "-f", file, "-p", filepath.Join(dir, "main.pid"), "-r", filepath.Join(dir, "vrrp.pid"))
	// It is not killed with the thread that starts it, which the test keeps.
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	out, in, err := os.Pipe()
	must(t, err)
	r.cmd.Stdout, r.cmd.Stderr = in, in
	must(t, r.cmd.Start())
	must(t, in.Close())
	go r.read(out) // Ends with the program and its child.
	t.Cleanup(r.stop)
	return r
}

func (r *router) read(out *os.File) {
	defer close(r.ended)
	defer out.Close()
	for s := bufio.NewScanner(out); s.Scan(); {
		select {
		case r.lines <- s.Text():
		default:
		}
	}
}

// stop ends it politely.
func (r *router) stop() {
	if r.over {
		return
	}
	r.over = true
	_ = r.cmd.Process.Signal(syscall.SIGTERM) // It has ended if this fails.
	select {
	case <-r.ended:
	case <-time.After(testPatience):
		r.t.Error("keepalived did not end")
		_ = r.cmd.Process.Kill()
	}
	_ = r.cmd.Wait() // Its exit code is of no interest.
}

// says waits for a line, and fails at the others.
func (r *router) says(want string, others ...string) {
	r.t.Helper()
	limit := time.After(testPatience)
	for {
		select {
		case line := <-r.lines:
			if strings.Contains(line, want) {
				return
			}
			for _, o := range others {
				if strings.Contains(line, o) {
					r.t.Fatalf("keepalived said %q", line)
				}
			}
		case <-limit:
			r.t.Fatalf("keepalived did not say %q", want)
		}
	}
}

// variants are what a keepalived of the other end is told, and what we say to it.
var variants = map[string]struct {
	conf string
	six  bool
	ours advert.Advert
	to   netip.Addr
	vip  string
}{
	"version 2 with a password": {
		conf: "advert_int 1\nauthentication {\nauth_type PASS\nauth_pass redis12345\n}", vip: "10.77.0.100",
		ours: advert.Advert{Version: 2, Interval: time.Second, Auth: advert.Password, Secret: words.NewSecret("redis12345")}, to: advert.Group4(),
	},
	"version 2": {conf: "advert_int 1", vip: "10.77.0.100", ours: advert.Advert{Version: 2, Interval: time.Second}, to: advert.Group4()},
	"version 2, unicast": {
		conf: "advert_int 1\nunicast_src_ip 10.77.0.2\nunicast_peer {\n10.77.0.1\n}", vip: "10.77.0.100",
		ours: advert.Advert{Version: 2, Interval: time.Second}, to: there4,
	},
	"version 3": {conf: "version 3\nadvert_int 0.2", vip: "10.77.0.100", ours: advert.Advert{Version: 3, Interval: 200 * time.Millisecond}, to: advert.Group4()},
	"version 3, unicast": {
		conf: "version 3\nadvert_int 0.2\nunicast_src_ip 10.77.0.2\nunicast_peer {\n10.77.0.1\n}", vip: "10.77.0.100",
		ours: advert.Advert{Version: 3, Interval: 200 * time.Millisecond}, to: there4,
	},
	"version 3, IPv6": {
		conf: "version 3\nadvert_int 0.2", vip: "fe80::100", six: true,
		ours: advert.Advert{Version: 3, Interval: 200 * time.Millisecond}, to: advert.Group6(),
	},
	"version 3, IPv6, unicast": {
		conf: "version 3\nadvert_int 0.2\nunicast_src_ip fe80::ff:fe00:2\nunicast_peer {\nfe80::ff:fe00:1\n}", vip: "fe80::100", six: true,
		ours: advert.Advert{Version: 3, Interval: 200 * time.Millisecond}, to: there6,
	},
}

const (
	theirs       = 250
	enterMaster  = "Entering MASTER STATE"
	enterBackup  = "Entering BACKUP STATE"
	stanza       = "vrrp_instance redis {\nstate BACKUP\ninterface eth0\nvirtual_router_id 51\npriority %d\n%s\nvirtual_ipaddress {\n%s\n}\n}\n"
	leavingUs    = 0
	skewOfTheirs = 6 // of 256 parts of an interval
)

// TestKeepalived is the election with a real one: it is heard, obeyed not, obeyed, and left.
func TestKeepalived(t *testing.T) {
	for name, v := range variants {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			here, there := twoHosts(t)
			there.Enter()
			k := keepalived(t, fmt.Sprintf(stanza, theirs, v.conf, v.vip))
			here.Enter()
			h, heard := open(t, v.six)
			ours := v.ours
			ours.VRID, ours.Addresses = 51, []netip.Addr{netip.MustParseAddr(v.vip)}
			from, peer := here4, there4
			if v.six {
				from, peer = here6, there6
			}
			k.says(enterMaster)
			isTheirs(t, next(t, heard), ours, peer)
			say := func(p uint8) {
				t.Helper()
				ours.Priority = p
				must(t, h.Send(&ours, from, v.to))
			}

			// A lower one is answered at once.
			drain(heard)
			say(50)
			isTheirs(t, next(t, heard), ours, peer)

			// A higher one is obeyed, for as long as it is said.
			say(254)
			k.says(enterBackup)
			drain(heard)
			ticks := time.NewTicker(ours.Interval)
			defer ticks.Stop()
			rounds := 4 // More than it would wait for a master.
			if ours.Version == 2 {
				rounds = 1 // Its seconds are long, and the rule is the same.
			}
			for range rounds {
				<-ticks.C
				say(254)
			}
			if e := len(heard); e > 0 {
				t.Fatalf("%d heard of a backup", e)
			}

			// Priority 0 costs it a skew, and not three intervals.
			before := time.Now()
			say(leavingUs)
			k.says(enterMaster, "STATE")
			isTheirs(t, next(t, heard), ours, peer)
			if took := time.Since(before); took > ours.Interval*skewOfTheirs/256+ours.Interval {
				t.Errorf("it took over after %v", took)
			}

			// And its own is told.
			k.stop()
			for {
				if e := next(t, heard); e.Advert.Priority == leavingUs {
					break
				}
			}
		})
	}
}

// isTheirs wants an advertisement of the real one, as it was configured.
func isTheirs(t *testing.T, e Heard, ours advert.Advert, peer netip.Addr) {
	t.Helper()
	a, hops := e.Advert, 255
	if peer.Is6() && !e.To.IsMulticast() {
		hops = 64 // It sets no other one there, and looks at none.
	}
	if e.Err != nil || e.From != peer || e.Hops != hops || a.Priority != theirs || a.VRID != 51 || a.Version != ours.Version ||
		a.Interval != ours.Interval || a.Auth != ours.Auth || !advert.SameSecret(a.Secret, ours.Secret) ||
		len(a.Addresses) != 1 || a.Addresses[0] != ours.Addresses[0] || a.Checksum != advert.Pseudo {
		t.Fatalf("heard %+v", e)
	}
}

func drain(heard <-chan Heard) {
	for len(heard) > 0 {
		<-heard
	}
}

// TestKeepalivedRefusesThePlainSum is why the other form is the default.
func TestKeepalivedRefusesThePlainSum(t *testing.T) {
	t.Parallel()
	here, there := twoHosts(t)
	there.Enter()
	k := keepalived(t, fmt.Sprintf(stanza, theirs, "version 3\nadvert_int 0.1", "10.77.0.100"))
	here.Enter()
	h, _ := open(t, false)
	k.says(enterMaster)
	a := advert.Advert{
		Version: 3, VRID: 51, Priority: 254, Interval: 100 * time.Millisecond, Addresses: []netip.Addr{netip.MustParseAddr("10.77.0.100")},
		Checksum: advert.Plain,
	}
	must(t, h.Send(&a, here4, advert.Group4()))
	k.says("Invalid VRRPv3 checksum", enterBackup)
}
