package lab

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"redkeep/internal/act/advertise"
	"redkeep/internal/speak/advert"
	"redkeep/internal/stage"
	"redkeep/internal/stage/clock"
	"redkeep/internal/stage/observer"
	"redkeep/internal/words"
)

// routines are what a keepalived.conf does every day.
func routines() []routerCase {
	return []routerCase{
		{name: "reload", play: routerReload},
		{name: "notify", play: routerNotify},
		{name: "checks", play: routerChecks},
		{name: "group", play: routerGroup},
		{name: "preemption", play: routerPreemption},
		{name: "spoofer", play: routerSpoofer},
		{name: "host lost", play: routerHostLost},
	}
}

// program writes an executable of a host, and returns its path.
func (s *routerSite) program(h, name, text string) string {
	s.t.Helper()
	path := filepath.Join(s.Host(h).Dir(), name)
	s.must(os.WriteFile(path, []byte("#!/bin/sh\n"+text), 0o755))
	return path
}

// diary is a program that writes its name, what it is told, and whether the address is there.
func (s *routerSite) diary(h, name string) string {
	into := filepath.Join(s.Host(h).Dir(), "diary")
	return s.program(h, name, fmt.Sprintf("vip=gone\nip -o addr show | grep -q %s/ && vip=here\necho %s \"$@\" $vip >>%s\n", s.dialect.vip, name, into))
}

// diaryOf is what a host's programs have written.
func (s *routerSite) diaryOf(h string) []string {
	text, _ := os.ReadFile(filepath.Join(s.Host(h).Dir(), "diary")) // there is none at first
	return strings.Fields(strings.ReplaceAll(strings.TrimSpace(string(text)), " ", "_"))
}

// routerReload changes the file of a master and has it read again: the address is never away, no script is told anew, and a file that is wrong
// changes nothing.
func routerReload(t *testing.T) {
	s := newRouterSite(t, dialects[0], "h1", "h2")
	extra := "notify_master \"" + s.diary("h1", "master") + "\"\nnotify_backup \"" + s.diary("h1", "backup") + "\"\n"
	text := s.conf("h1", 150, extra)
	s.startWith("h1", oursKind, text)
	s.start("h2", oursKind, 100)
	s.holder("h1", s.begun, duelLimit)
	s.await(time.Second, "script", func() bool { return slices.Contains(s.diaryOf("h1"), "master_here") })
	file := filepath.Join(s.Host("h1").Dir(), "keepalived.conf")
	more := netip.MustParseAddr("10.77.0.101")
	reload := func(text, says string) {
		s.must(os.WriteFile(file, []byte(text), 0o600))
		s.must(s.running["h1"].Signal(unix.SIGHUP))
		s.says("h1", 5*time.Second, says)
	}
	at := clock.Now()
	excluded := "virtual_ipaddress_excluded {\n10.77.0.101/24\n}\n"
	reload(s.conf("h1", 160, extra+excluded), "msg=reloaded")
	s.await(5*time.Second, "the second address", func() bool { has, err := s.Host("h1").HasAddress(more); return err == nil && has })
	reload(strings.Replace(text, "priority 150", "priority 999", 1), "the configuration before stays")
	reload(s.conf("h1", 150, extra), "instances=1")
	s.await(5*time.Second, "one address", func() bool { has, err := s.Host("h1").HasAddress(more); return err == nil && !has })
	s.must(s.running["h1"].Signal(unix.SIGUSR1)) // with which keepalived writes a file
	time.Sleep(1500 * time.Millisecond)
	if d := s.silent(at, clock.Now()); d > 50*time.Millisecond && s.watch.Worst(at, clock.Now()) < disturbed {
		t.Errorf("nobody answered for %v", d)
	}
	s.never("reloaded", s.begun)
	if got := s.diaryOf("h1"); !slices.Equal(got, []string{"backup_gone", "master_here"}) {
		t.Errorf("scripts were told %v", got)
	}
	s.stop("h1")
}

// routerNotify has both programs go through every state, and holds what their scripts and pipes are told against each other.
func routerNotify(t *testing.T) {
	told := map[routerKind][]string{}
	for _, kind := range []routerKind{oursKind, realKind} {
		s := newRouterSite(t, dialects[0], "h1")
		var extra strings.Builder
		for _, state := range []string{"master", "backup", "fault", "stop"} {
			fmt.Fprintf(&extra, "notify_%s \"%s own %s\"\n", state, s.diary("h1", state), state)
		}
		fmt.Fprintf(&extra, "notify \"%s own\"\n", s.diary("h1", "any"))
		dir := s.Host("h1").Dir()
		reader := s.program("h1", "reader", "exec cat \"$1\" >>"+filepath.Join(dir, "lines")+"\n")
		text := strings.Replace(s.conf("h1", 150, extra.String()), "script_user root\n",
			"script_user root\nvrrp_notify_fifo "+filepath.Join(dir, "fifo")+"\nvrrp_notify_fifo_script "+reader+"\n", 1)
		s.startWith("h1", kind, text)
		lines := func() string { text, _ := os.ReadFile(filepath.Join(dir, "lines")); return string(text) }
		s.holder("h1", s.begun, duelLimit)
		// A script whose state is over is ended, and that of a master takes some milliseconds.
		s.await(5*time.Second, "the first scripts", func() bool { return len(s.diaryOf("h1")) >= 4 })
		s.must(s.Host("h1").SetLink(false))
		s.await(5*time.Second, "FAULT", func() bool { return strings.Contains(lines(), "FAULT") })
		s.await(5*time.Second, "its scripts", func() bool { return len(s.diaryOf("h1")) >= 6 })
		at := clock.Now()
		s.must(s.Host("h1").SetLink(true))
		s.holder("h1", at, duelLimit)
		s.await(5*time.Second, "the scripts", func() bool { return len(s.diaryOf("h1")) >= 10 })
		s.stop("h1")
		s.await(5*time.Second, "the last scripts", func() bool { return len(s.diaryOf("h1")) >= 12 })
		got := s.diaryOf("h1")
		if kind == oursKind { // Of one state, the specific one is first.
			want := []string{"backup_own_backup_gone", "any_own_INSTANCE_VI_1_BACKUP_150_gone", "master_own_master_here", "any_own_INSTANCE_VI_1_MASTER_150_here"}
			if !slices.Equal(got[:4], want) {
				t.Errorf("ours told %v, want %v", got[:4], want)
			}
		}
		slices.Sort(got) // The real one runs both at once.
		// The real one ends the pipe's program before that has read of its stop.
		told[kind] = append(got, strings.Split(strings.TrimSuffix(lines(), "INSTANCE \"VI_1\" STOP 150\n"), "\n")...)
	}
	if !slices.Equal(told[oursKind], told[realKind]) {
		t.Errorf("ours told %q, keepalived %q", told[oursKind], told[realKind])
	}
}

// routerChecks has checks change the priority, and fail: one by its result, one because it can't be run any more, one that counts processes.
func routerChecks(t *testing.T) {
	s := newRouterSite(t, dialects[1], "h1", "h2")
	dir := s.Host("h1").Dir()
	well := filepath.Join(dir, "well")
	s.must(os.WriteFile(well, nil, 0o600))
	weight, fault := s.program("h1", "weight", "test -e "+well+"\n"), s.program("h1", "fault", "exit 0\n")
	sleeper := "ka-" + filepath.Base(filepath.Dir(dir))
	s.must(os.Symlink("/bin/sleep", filepath.Join(dir, sleeper)))
	if len(sleeper) > 15 {
		sleeper = sleeper[:15]
	}
	process, err := s.Host("h1").Start(stage.Command{Name: "counted", Path: "/bin/sh", Args: []string{"-c", "cp /bin/sleep " + sleeper + " && exec ./" + sleeper + " 1000"}})
	s.must(err)
	checks := fmt.Sprintf("vrrp_script weight {\nscript %q\ninterval 1\nfall 2\nrise 1\nweight -60\n}\nvrrp_script fault {\nscript %q\ninterval 1\n}\n"+
		"vrrp_track_process counted {\nprocess %s\n}\n", weight, fault, sleeper)
	tracks := "track_script {\nweight\nfault\n}\ntrack_process {\ncounted\n}\n"
	s.startWith("h1", oursKind, checks+s.conf("h1", 150, tracks))
	s.start("h2", realKind, 100)
	s.holder("h1", s.begun, duelLimit)
	// Whoever has more right again is the master one master-down time after it last obeyed the other one: a second until its check passes, up to
	// 3.4 more, and not as long once more.
	const again = 6 * time.Second
	moves := func(what string, away, back func() error) {
		t.Helper()
		at := clock.Now()
		s.must(away())
		s.holder("h2", at, duelLimit)
		s.theirs(what, at, 30*time.Millisecond)
		if back != nil {
			at = clock.Now()
			s.must(back())
			if took := s.holder("h1", at, duelLimit).Sub(at); took > again && s.watch.Worst(at, clock.Now()) < disturbed {
				t.Errorf("back after %s: it took %v", what, took)
			}
			s.never("back after "+what, at)
		}
	}
	moves("a weight", func() error { return os.Remove(well) }, func() error { return os.WriteFile(well, nil, 0o600) })
	s.says("h1", time.Second, "priority=90", "priority=150")
	moves("a check that can't be run", func() error { return os.Chmod(fault, 0o600) }, func() error { return os.Chmod(fault, 0o755) })
	moves("a process that is gone", func() error { _, err := process.Kill(); return err }, nil)
	s.says("h1", time.Second, "state=FAULT")
	status, err := s.Host("h1").Start(stage.Command{Name: "status", Path: binary, Args: []string{"keepalived", "--status"}})
	s.must(err)
	s.await(5*time.Second, "its status", func() bool {
		text, err := os.ReadFile(status.Log())
		return err == nil && strings.Contains(string(text), "FAULT") && strings.Contains(string(text), "check process counted failed")
	})
}

// routerGroup has two addresses that move together: the check is only of one.
func routerGroup(t *testing.T) {
	s := newRouterSite(t, dialects[1], "h1", "h2")
	second := netip.MustParseAddr("10.77.0.101")
	file := func(h string, priority int, check string) string {
		one := s.conf(h, priority, check)
		two := strings.NewReplacer("VI_1", "VI_2", "router_id 51", "router_id 52", s.dialect.vip.String(), second.String(), check, "").Replace(one)
		_, two, _ = strings.Cut(two, "}\n")
		return one + two + "vrrp_sync_group G {\ngroup {\nVI_1\nVI_2\n}\nnotify \"" + s.diary(h, "group") + "\"\n}\n"
	}
	well := filepath.Join(s.Host("h1").Dir(), "well")
	s.must(os.WriteFile(well, nil, 0o600))
	check := s.program("h1", "check", "test -e "+well+"\n")
	s.startWith("h1", oursKind, "vrrp_script check {\nscript \""+check+"\"\ninterval 1\n}\n"+file("h1", 150, "track_script {\ncheck\n}\n"))
	s.startWith("h2", oursKind, file("h2", 100, ""))
	both := func(h string) {
		t.Helper()
		s.await(duelLimit, "both on "+h, func() bool {
			has, err := s.Host(h).HasAddress(second)
			return err == nil && has && s.alone(h)
		})
	}
	both("h1")
	s.must(os.Remove(well))
	both("h2")
	s.must(os.WriteFile(well, nil, 0o600))
	both("h1")
	s.never("a group moved", s.begun)
	s.await(5*time.Second, "the group's script", func() bool { return len(s.diaryOf("h1")) >= 5 })
	want := []string{"group_GROUP_G_BACKUP_0_gone", "group_GROUP_G_MASTER_0_here", "group_GROUP_G_FAULT_0_gone", "group_GROUP_G_BACKUP_0_gone", "group_GROUP_G_MASTER_0_here"}
	if got := s.diaryOf("h1"); !slices.Equal(got, want) {
		t.Errorf("the group's script was told %v, want %v", got, want)
	}
}

// routerPreemption is that nopreempt leaves a master alone, and preempt_delay for a time.
func routerPreemption(t *testing.T) {
	s := newRouterSite(t, dialects[1], "h1", "h2")
	s.startWith("h1", oursKind, s.conf("h1", 200, "nopreempt\n"))
	s.start("h2", oursKind, 100)
	s.holder("h1", s.begun, duelLimit)
	at := s.stop("h1")
	s.holder("h2", at, duelLimit)
	s.startWith("h1", oursKind, s.conf("h1", 200, "nopreempt\n"))
	s.says("h1", duelLimit, "state=BACKUP")
	time.Sleep(4500 * time.Millisecond)
	if !s.alone("h2") {
		t.Error("nopreempt did not leave the master alone")
	}
	s.stop("h1")
	at = clock.Now()
	s.startWith("h1", oursKind, s.conf("h1", 200, "preempt_delay 4\n"))
	if took := s.holder("h1", at, duelLimit+4*time.Second).Sub(at); took < 4*time.Second {
		t.Errorf("preempt_delay 4 ended after %v", took)
	}
	s.never("preempted", s.begun)
}

// routerSpoofer has a host that is no router say that it is the master: it is named, and in unicast it changes nothing, unless the file says that
// anybody is believed.
func routerSpoofer(t *testing.T) {
	for _, c := range []struct {
		d       dialect
		extra   string
		says    []string
		yielded bool
	}{
		{dialects[2], "check_unicast_src\n", []string{"no peer of 10.77.0."}, false},
		{dialects[2], "", []string{"no peer of 10.77.0.", "on the segment"}, false},
		{dialects[2], "check_unicast_src off\n", []string{"no peer of 10.77.0.", "heard, since any source is", "msg=master"}, true},
		{dialects[0], "", []string{"msg=master"}, true},
	} {
		s := newRouterSite(t, c.d, "h1", "h2")
		s.startWith("h1", oursKind, s.conf("h1", 200, c.extra))
		s.startWith("h2", oursKind, s.conf("h2", 100, c.extra))
		s.holder("h1", s.begun, duelLimit)
		to := advert.Group4()
		a := advert.Advert{Version: 2, VRID: 51, Priority: 255, Interval: time.Second, Addresses: []netip.Addr{c.d.vip}}
		if c.d.unicast {
			to = s.Host("h1").Addr()
		} else {
			a.Auth, a.Secret = advert.Password, words.NewSecret("redis123") // anybody reads it on the segment
		}
		spoof(t, s.Host("spoofer"), &a, to)
		s.says("h1", 5*time.Second, append(c.says, s.Host("spoofer").Addr().String())...)
		yielded := func() bool { return strings.Count(s.log("h1"), "state=BACKUP") > 1 }
		if c.yielded { // It obeys at once, and is told to be the backup when the address is off.
			s.await(5*time.Second, "the master to yield", yielded)
		} else if yielded() {
			t.Errorf("%s, %q: it has yielded", c.d.name, c.extra)
		}
		s.never("a spoofer", s.begun)
		s.stop("h1")
		s.stop("h2")
	}
}

// spoof sends an advertisement from a host.
func spoof(t *testing.T, h *stage.Host, a *advert.Advert, to netip.Addr) {
	t.Helper()
	var hand *advertise.Hand
	var err error
	if gone := h.Do(func() { hand, err = advertise.Open(advertise.Config{Dev: "eth0"}) }); gone != nil {
		err = gone
	}
	if err != nil {
		t.Fatal(err)
	}
	defer hand.Close()
	if err := hand.Send(a, h.Addr(), to); err != nil {
		t.Fatal(err)
	}
}

// routerHostLost pulls the plug of the master's host, of two of ours and of two real ones in turns, at the same interval.
func routerHostLost(t *testing.T) {
	s := newRouterSite(t, fastDialects[0], "h1", "h2")
	n := map[routerKind]*numbers{oursKind: {name: "redkeep keepalived, host lost, advert_int 0.2"}, realKind: {name: "keepalived, host lost, advert_int 0.2"}}
	for range runs(3, 10) {
		for _, kind := range []routerKind{oursKind, realKind} {
			at := clock.Now()
			s.start("h1", kind, 254)
			s.start("h2", kind, 253)
			// In the middle between two advertisements, which are counted from the first one.
			due := s.holder("h1", at, duelLimit).Add(s.dialect.interval * 5 / 2)
			for due < clock.Now() {
				due = due.Add(s.dialect.interval)
			}
			time.Sleep(due.Sub(clock.Now()))
			at = clock.Now()
			s.must(s.PowerOff("h1"))
			took := s.holderThere("h2", at).Sub(at)
			n[kind].add(took, s.watch.Worst(at, clock.Now()))
			s.stop("h2")
			s.must(s.PowerOn("h1"))
		}
	}
	for _, one := range n {
		t.Log(one)
		slices.Sort(one.list)
	}
	ours, real := n[oursKind].list, n[realKind].list
	if len(ours) == 0 || len(real) == 0 {
		return
	}
	// Of three, a quarter of the interval is the phase in which the plug was pulled.
	if a, b := ours[len(ours)/2], real[len(real)/2]; a > b+pick(50*time.Millisecond, 20*time.Millisecond) {
		t.Errorf("with ours it took %v, with keepalived %v", a, b)
	}
}

// holderThere is holder where the other host is gone.
func (s *routerSite) holderThere(h string, after clock.Instant) (at clock.Instant) {
	s.t.Helper()
	s.await(duelLimit, h+" as the holder", func() (ok bool) {
		at, ok = s.observe.First(h, s.dialect.vip, after, observer.Named...)
		return ok
	})
	return at
}
