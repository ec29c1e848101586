package lab

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"redkeep/internal/stage"
	"redkeep/internal/stage/clock"
	"redkeep/internal/stage/ether"
	"redkeep/internal/stage/need"
	"redkeep/internal/stage/observer"
)

// Routers of a keepalived.conf: redkeep keepalived beside Debian's keepalived, judged by who answers for the address, as a third host
// sees it. What that does by its nature is said where it is met, and not judged: its SIGKILL leaves the address for good, and it puts the
// address on with its first advertisement, before the other one can have heard that.

// routerKind is a program that runs a keepalived.conf.
type routerKind string

const (
	oursKind routerKind = "redkeep"
	realKind routerKind = "keepalived"
)

// dialect is how the routers of a site speak.
type dialect struct {
	name string
	// lines are for the instance; %s is this host's own address, then the others'.
	lines    string
	unicast  bool
	vip      netip.Addr
	interval time.Duration
}

// dialects are those that Redis sites have, and one faster.
var dialects = []dialect{
	{name: "v2", lines: "advert_int 1\nauthentication {\nauth_type PASS\nauth_pass redis123\n}", vip: stage.VIP, interval: time.Second},
	{name: "v3", lines: "version 3\nadvert_int 1", vip: stage.VIP, interval: time.Second},
	{name: "unicast", lines: "advert_int 1", unicast: true, vip: stage.VIP, interval: time.Second},
	{name: "ipv6", lines: "version 3\nadvert_int 1", vip: stage.VIP6, interval: time.Second},
}

// routerSite is hosts with a router each.
type routerSite struct {
	*stage.Stage
	t       *testing.T
	real    string // keepalived's program
	dialect dialect
	names   []string
	begun   clock.Instant
	watch   *clock.Watcher
	observe *observer.Observer
	running map[string]*stage.Process
	kinds   map[string]routerKind
	starts  int
}

// newRouterSite makes the hosts and an onlooker.
func newRouterSite(t *testing.T, d dialect, names ...string) *routerSite {
	t.Helper()
	real := realProgram(t)
	watch, err := clock.Watch()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { watch.Stop() })
	st, err := stage.New(context.Background(), stage.Options{Hosts: names, Guests: []string{onlooker, "spoofer"}})
	if err != nil {
		t.Fatal(err)
	}
	s := &routerSite{
		Stage: st, t: t, real: real, dialect: d, names: names, begun: clock.Now(), watch: watch, running: map[string]*stage.Process{}, kinds: map[string]routerKind{},
	}
	t.Cleanup(s.end)
	if s.observe, err = observer.Watch(observer.Options{Stage: st, Host: st.Host(onlooker), Addresses: []netip.Addr{d.vip}}); err != nil {
		t.Fatal(err)
	}
	return s
}

// realProgram finds Debian's keepalived.
func realProgram(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("keepalived")
	if err != nil {
		path = "/usr/sbin/keepalived" // which is not in everybody's PATH
	}
	if _, err := os.Stat(path); err != nil {
		need.Program(t, "keepalived")
	}
	return path
}

// end stops the site; the routers end with it.
func (s *routerSite) end() {
	if s.observe != nil {
		if _, err := s.observe.Stop(); err != nil {
			s.t.Errorf("the onlooker: %v", err)
		}
	}
	if s.t.Failed() || *logs {
		for _, h := range s.names {
			for n := 1; n <= s.starts; n++ {
				if text := tail(filepath.Join(s.Host(h).Dir(), "router-"+strconv.Itoa(n)+".log"), 6000); text != "" {
					s.t.Logf("---- %s, %d\n%s", h, n, text)
				}
			}
		}
	}
	if err := s.Close(); err != nil {
		s.t.Error(err)
	}
}

// conf is the file of a host.
func (s *routerSite) conf(h string, priority int, extra string) string {
	lines := s.dialect.lines
	if s.dialect.unicast {
		lines += "\nunicast_src_ip " + s.Host(h).Addr().String() + "\nunicast_peer {\n"
		for _, o := range s.names {
			if o != h {
				lines += s.Host(o).Addr().String() + "\n"
			}
		}
		lines += "}"
	}
	return fmt.Sprintf("global_defs {\nscript_user root\n}\nvrrp_instance VI_1 {\nstate BACKUP\ninterface eth0\nvirtual_router_id 51\npriority %d\n%s\n"+
		"virtual_ipaddress {\n%s\n}\n%s}\n", priority, lines, s.dialect.vip, extra)
}

// start starts a router with a priority.
func (s *routerSite) start(h string, kind routerKind, priority int) *stage.Process {
	s.t.Helper()
	return s.startWith(h, kind, s.conf(h, priority, ""))
}

// startWith starts a router with a whole file.
func (s *routerSite) startWith(h string, kind routerKind, text string) *stage.Process {
	s.t.Helper()
	s.starts++
	dir := s.Host(h).Dir()
	file := filepath.Join(dir, "keepalived.conf")
	s.must(os.WriteFile(file, []byte(text), 0o600))
	args := []string{"-n", "-l", "-D", "-P", "-f", file, "-p", filepath.Join(dir, "main.pid")}
	c := stage.Command{Name: "router-" + strconv.Itoa(s.starts), Path: s.real, Args: append(args, "-r", filepath.Join(dir, "vrrp.pid"))}
	if kind == oursKind {
		c.Path, c.Args = binary, append([]string{"keepalived"}, args...)
	}
	p, err := s.Host(h).Start(c)
	s.must(err)
	s.running[h], s.kinds[h] = p, kind
	return p
}

// stop ends a router politely.
func (s *routerSite) stop(h string) clock.Instant {
	s.t.Helper()
	at := clock.Now()
	s.must(s.running[h].Stop(10 * time.Second))
	return at
}

// kill ends a router at once; the real one's parent would start its child again, and is stopped first.
func (s *routerSite) kill(h string) clock.Instant {
	s.t.Helper()
	p := s.running[h]
	s.must(p.Freeze())
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", p.Pid(), p.Pid()))
	s.must(err)
	at := clock.Now()
	for child := range strings.FieldsSeq(string(text)) {
		pid, err := strconv.Atoi(child)
		s.must(err)
		s.must(unix.Kill(pid, unix.SIGKILL))
	}
	_, err = p.Kill()
	s.must(err)
	return at
}

// has reports whether a host has the address.
func (s *routerSite) has(h string) bool {
	s.t.Helper()
	has, err := s.Host(h).HasAddress(s.dialect.vip)
	s.must(err)
	return has
}

// holder waits until that host answers for the address after an instant, and no other has it, and returns when it first did.
func (s *routerSite) holder(h string, after clock.Instant, within time.Duration) clock.Instant {
	s.t.Helper()
	var at clock.Instant
	s.await(within, h+" as the holder", func() bool {
		var ok bool
		at, ok = s.observe.First(h, s.dialect.vip, after, observer.Named...)
		return ok && s.alone(h)
	})
	return at
}

// alone reports whether that host has the address, and no other.
func (s *routerSite) alone(h string) bool {
	for _, o := range s.names {
		if s.has(o) != (o == h) {
			return false
		}
	}
	return true
}

// never fails the test where two hosts answered for the address since an instant; most is how much of that is the real one's own.
func (s *routerSite) never(what string, since clock.Instant) {
	s.t.Helper()
	if two := s.observe.TwoAnswer(s.dialect.vip, since, observer.Named...); two > 0 {
		s.t.Errorf("%s: two hosts answered for %v: %v", what, two, s.observe.Stretches(s.dialect.vip, since, observer.Named...))
	}
}

// theirs is for how long two answered where the real one took the address before we could know. Ours must have been quick to leave.
func (s *routerSite) theirs(what string, since clock.Instant, most time.Duration) {
	s.t.Helper()
	two := s.observe.TwoAnswer(s.dialect.vip, since, observer.Named...)
	s.t.Logf("%s: two hosts answered for %v (keepalived takes the address with its first advertisement)", what, two)
	if two > most && s.watch.Worst(since, clock.Now()) < disturbed {
		s.t.Errorf("%s: ours left the address after %v", what, two)
	}
}

// silent is the longest time in which nobody answered, from an instant until now.
func (s *routerSite) silent(from, to clock.Instant) time.Duration {
	last, longest := from, time.Duration(0)
	for _, c := range s.observe.Claims() {
		if c.At > to {
			break
		}
		if c.At >= from && (c.Kind == ether.Replies || c.Kind == ether.Advertises || c.Kind == ether.Asks) {
			longest, last = max(longest, c.At.Sub(last)), c.At
		}
	}
	return max(longest, to.Sub(last))
}

// log is what a host's router has said since its last start.
func (s *routerSite) log(h string) string {
	s.t.Helper()
	text, err := os.ReadFile(s.running[h].Log())
	s.must(err)
	return string(text)
}

// says waits until a router has said something.
func (s *routerSite) says(h string, within time.Duration, texts ...string) {
	s.t.Helper()
	s.await(within, fmt.Sprintf("%q of %s", texts, h), func() bool {
		log := s.log(h)
		for _, text := range texts {
			if !strings.Contains(log, text) {
				return false
			}
		}
		return true
	})
}

func (s *routerSite) await(within time.Duration, what string, ok func() bool) {
	s.t.Helper()
	(&Site{t: s.t}).await(within, what, ok)
}

func (s *routerSite) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// routerCase is one thing that routers do.
type routerCase struct {
	name string
	play func(t *testing.T)
	long bool
}

// TestKeepalived plays them all at once: they wait nearly all the time. It does not run beside the other tests of the lab, as so many sites
// at once would disturb what others measure.
func TestKeepalived(t *testing.T) {
	var playing sync.WaitGroup
	defer playing.Wait()
	free := make(chan struct{}, slots)
	for _, list := range [][]routerCase{duels(), fasts(), routines(), recipes} {
		for _, c := range list {
			if c.long && !*long {
				continue
			}
			playing.Go(func() {
				free <- struct{}{}
				defer func() { <-free }()
				t.Run(c.name, c.play)
			})
		}
	}
}
