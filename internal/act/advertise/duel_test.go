package advertise

import (
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"redkeep/internal/decide/vrrp"
	"redkeep/internal/words"
)

// duels are configurations of a keepalived and of ours beside it.
var duels = map[string]struct {
	conf string
	ours vrrp.Router
}{
	"version 2": {
		"advert_int 1\nauthentication {\nauth_type PASS\nauth_pass redis12345\n}",
		vrrp.Router{Version: 2, Interval: time.Second, Auth: vrrp.Password, Secret: words.NewSecret("redis12345"), Source: here4, Addresses: addrs("10.77.0.100")},
	},
	"version 3": {
		"version 3\nadvert_int 0.2",
		vrrp.Router{Version: 3, Interval: 200 * time.Millisecond, Source: here4, Addresses: addrs("10.77.0.100")},
	},
	"unicast": {
		"version 3\nadvert_int 0.2\nunicast_src_ip 10.77.0.2\nunicast_peer {\n10.77.0.1\n}",
		vrrp.Router{Version: 3, Interval: 200 * time.Millisecond, Source: here4, Peers: []netip.Addr{there4}, Addresses: addrs("10.77.0.100")},
	},
	"IPv6": {
		"version 3\nadvert_int 0.2",
		vrrp.Router{Version: 3, Interval: 200 * time.Millisecond, Source: here6, Addresses: addrs("fe80::100")},
	},
}

func addrs(list ...string) (out []netip.Addr) {
	for _, s := range list {
		out = append(out, netip.MustParseAddr(s))
	}
	return out
}

func as(conf vrrp.Router, priority uint8) vrrp.Router {
	conf.ID, conf.Link, conf.VRID, conf.Priority, conf.Announce = "redis", "eth0", 51, priority, vrrp.DefaultAnnouncing()
	return conf
}

// TestBesideKeepalived is that the address moves between the two: by our preemption, by our stop, by keepalived's, where it is never on
// both; and by keepalived's preemption, where that is not ours to decide.
func TestBesideKeepalived(t *testing.T) {
	for name, d := range duels {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			here, there := twoHosts(t)
			there.enter()
			k := keepalived(t, fmt.Sprintf(stanza, 200, d.conf, d.ours.Addresses[0]))
			w := watch(t, d.ours.Addresses[0], here, there)
			w.are(false, true)
			here.enter()

			preferred := runAgent(t, as(d.ours, 254))
			preferred.becomes(vrrp.Master)
			w.are(true, false)
			k.says(enterBackup)
			begin := time.Now()
			preferred.events <- vrrp.Stop{}
			preferred.becomes(vrrp.Stopped)
			w.are(false, true)
			// 200 waits 56 of 256 parts of an interval, and not three of them.
			if took := time.Since(begin); took > d.ours.Interval*3/2 {
				t.Errorf("keepalived took over after %v", took)
			}
			preferred.kill()

			other := runAgent(t, as(d.ours, 100))
			other.becomes(vrrp.Backup)
			k.stop()
			other.becomes(vrrp.Master)
			w.are(true, false)
			w.never()
			there.enter()
			k = keepalived(t, fmt.Sprintf(stanza, 200, d.conf, d.ours.Addresses[0]))
			other.becomes(vrrp.Backup)
			w.are(false, true)
			// It adds the address with its first advertisement, before anybody can have heard that.
			t.Logf("both had the address for %v when keepalived preempted", w.overlap())
		})
	}
}

// TestAKilledAgentBesideKeepalived is that its address is gone before keepalived's turn comes, without anybody to take it off.
func TestAKilledAgentBesideKeepalived(t *testing.T) {
	t.Parallel()
	here, there := twoHosts(t)
	d := duels["version 2"]
	there.enter()
	k := keepalived(t, fmt.Sprintf(stanza, 200, d.conf, d.ours.Addresses[0]))
	w := watch(t, d.ours.Addresses[0], here, there)
	here.enter()
	a := runAgent(t, as(d.ours, 254))
	a.becomes(vrrp.Master)
	w.are(true, false)
	a.kill()
	k.says(enterMaster)
	w.are(false, true)
	w.never()
}

// TestAKilledKeepalived is that its address, which nobody takes off, is found, and that no second one is added.
func TestAKilledKeepalived(t *testing.T) {
	t.Parallel()
	here, there := twoHosts(t)
	d := duels["version 3"]
	there.enter()
	k := keepalived(t, fmt.Sprintf(stanza, 200, d.conf, d.ours.Addresses[0]))
	w := watch(t, d.ours.Addresses[0], here, there)
	w.are(false, true)
	here.enter()
	a := runAgent(t, as(d.ours, 100))
	a.becomes(vrrp.Backup)
	k.murder()
	if got := a.reported(vrrp.Taken); !strings.Contains(got.Theirs, "02:00:00:00:00:02") {
		t.Errorf("reported %v", got)
	}
	w.are(false, true)
	w.never()
}

// TestAKeepalivedWithAnotherPassword is that ours is no second master, however high its priority.
func TestAKeepalivedWithAnotherPassword(t *testing.T) {
	t.Parallel()
	here, there := twoHosts(t)
	d := duels["version 2"]
	there.enter()
	keepalived(t, fmt.Sprintf(stanza, 50, strings.Replace(d.conf, "redis12345", "lulu", 1), d.ours.Addresses[0]))
	w := watch(t, d.ours.Addresses[0], here, there)
	w.are(false, true)
	here.enter()
	a := runAgent(t, as(d.ours, 254))
	if got := a.reported(vrrp.OtherPassword); got.Peer != there4 {
		t.Errorf("reported %v", got)
	}
	a.becomes(vrrp.Backup)
	select {
	case s := <-a.turned:
		t.Errorf("became %v", s)
	case <-time.After(4 * time.Second): // Its own timer would have fired after 3.
	}
	w.are(false, true)
	w.never()
}

// murder kills keepalived and its child, which leaves its address.
func (r *router) murder() {
	r.t.Helper()
	pid := r.cmd.Process.Pid
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	must(r.t, err)
	must(r.t, syscall.Kill(pid, syscall.SIGSTOP)) // Or it would start another.
	for _, child := range strings.Fields(string(children)) {
		n, err := strconv.Atoi(child)
		must(r.t, err)
		must(r.t, syscall.Kill(n, syscall.SIGKILL))
	}
	must(r.t, syscall.Kill(pid, syscall.SIGKILL))
	<-r.ended
	_ = r.cmd.Wait() // It was killed.
	r.over = true
}
