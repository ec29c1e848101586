package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"redkeep/internal/stage"
	"redkeep/internal/stage/clock"
	"redkeep/internal/stage/need"
	"redkeep/internal/stage/writer"
)

// TestPackage installs the package on three hosts with servers that run, sets it up as a person would, upgrades it under
// load, removes it and purges it. No client is refused at any time, and in the end nothing of Redkeep is left.
func TestPackage(t *testing.T) {
	s := bareSite(t, Plan{})
	old, fresh := packages(t)
	hosts := map[string]*installed{}
	for _, h := range s.plan.Hosts {
		hosts[h] = s.rooted(h)
	}
	for _, h := range s.plan.Hosts {
		hosts[h].startServer()
	}
	s.await(5*time.Second, "replicas", func() bool { return s.linkUp("h2") && s.linkUp("h3") })
	readers := s.readers(s.plan.Hosts...)
	for _, h := range s.plan.Hosts {
		hosts[h].install(old)
		hosts[h].setUp()
	}
	w := s.settled()
	m := s.awaitReady(10 * time.Second)
	time.Sleep(time.Second)
	for _, h := range s.plan.Hosts {
		s.await(5*time.Second, "server of "+h+" that is born fenced", func() bool { g, err := s.status(h); return err == nil && s.self(g).Server.BornFenced })
	}
	epoch := s.epoch(m)
	begun := clock.Now()
	for _, h := range s.plan.Hosts {
		hosts[h].upgrade(fresh)
		time.Sleep(500 * time.Millisecond)
	}
	hosts[m].joinLater()
	if now := s.awaitReady(10 * time.Second); now != m || s.epoch(now) != epoch {
		t.Errorf("after the upgrade %s is master in epoch %d; it was %s in %d", now, s.epoch(now), m, epoch)
	}
	s.await(5*time.Second, "address on "+m, func() bool { return s.hasVIP(m) })
	until := clock.Now()
	for _, write := range w.Stop() {
		if !write.OK() && write.Sent > begun && write.Sent < until.Add(-writer.DefaultTimeout) {
			t.Errorf("a write was not acknowledged during the upgrade, at %v: %s", s.since(write.Sent), write.Err)
			break
		}
	}
	s.lossless(w)
	for _, c := range s.clients {
		c.Stop() // Without Redkeep there is no lease to judge them by.
	}
	s.unrefused(readers)
	other := s.others(m)[1]
	hosts[m].keepWithout(hosts[other])
	hosts[other].awayAndBack(fresh)
	m = s.awaitReady(10 * time.Second)
	readers = s.readers(s.plan.Hosts...)
	for _, h := range s.plan.Hosts {
		hosts[h].remove()
	}
	s.command(m, "SET", "without", "redkeep")
	for _, h := range s.others(m) {
		s.await(5*time.Second, "replication without Redkeep", func() bool { return s.command(h, "GET", "without") == "redkeep" })
	}
	s.unrefused(readers)
	for _, h := range s.plan.Hosts {
		hosts[h].purge()
	}
}

// packages makes two releases of the package, as `make deb` does; the second has the first's files. What is missing for it is a reason to skip the test.
func packages(t *testing.T) (old, fresh string) {
	t.Helper()
	for _, program := range []string{"make", "dpkg", "deb-systemd-invoke", "systemd-sysusers", "systemd-tmpfiles", "nsenter", "setpriv"} {
		if _, err := exec.LookPath(program); err != nil {
			need.Program(t, "packages are installed only where there is ", program)
		}
	}
	if os.Getuid() != 0 || os.Chown(t.TempDir(), nobody, nobody) != nil {
		need.Right(t, "packages are installed by root alone")
	}
	packager, err := exec.LookPath("nfpm")
	if err != nil {
		packager = "bin/nfpm"
		if out, err := makes(t, 2*time.Minute, packager); err != nil {
			need.Program(t, "nfpm can't be built, which needs the Go module proxy: ", err, ": ", string(out))
		}
	}
	dir := t.TempDir()
	var files []string
	for _, made := range [][2]string{{"1.0.0", "deb"}, {"1.0.1", "package"}} {
		version, verb := made[0], made[1]
		out, err := makes(t, 3*time.Minute, verb, "OUT="+dir, "VERSION="+version, "NFPM="+packager)
		if err != nil {
			t.Fatalf("make %s: %v: %s", verb, err, out)
		}
		found, err := filepath.Glob(filepath.Join(dir, "redkeep_"+version+"_*.deb"))
		if err != nil || len(found) != 1 {
			t.Fatalf("make %s made %v: %v: %s", verb, found, err, out)
		}
		files = append(files, found[0])
	}
	return files[0], files[1]
}

// makes runs the Makefile's verb, behind the other tests: they measure.
func makes(t *testing.T, within time.Duration, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	out, err := exec.CommandContext(ctx, "nice", append([]string{"-n", "19", "make", "-s", "-C", "../.."}, args...)...).CombinedOutput()
	return string(out[max(0, len(out)-1000):]), err
}

// dpkg runs the installer. The triggers of other packages, such as that of the manuals' index, would take longer than ours.
func (r *installed) dpkg(args ...string) {
	r.s.t.Helper()
	r.want(0, append([]string{"dpkg", "--no-triggers"}, args...))
}

// startServer starts the server as Debian's package does: with its own user, and a directory in which its group may write.
func (r *installed) startServer() {
	s := r.s
	s.t.Helper()
	text, _ := r.typed("sh", "-c", "groupadd -f -r redis; id -u redis >/dev/null 2>&1 || useradd -r -g redis redis; id -u redis; id -g redis")
	var uid, gid int
	_, err := fmt.Sscan(text, &uid, &gid)
	s.must(err)
	program, err := stage.FindRedis()
	s.must(err)
	link, script := filepath.Join(s.Host(r.h).Dir(), "redis-server"), filepath.Join(s.Host(r.h).Dir(), "as-redis")
	s.must(os.Symlink(program, link), os.WriteFile(script, fmt.Appendf(nil,
		"#!/bin/sh\nexec setpriv --reuid=%d --regid=%d --clear-groups %s \"$@\"\n", uid, gid, link), 0o755))
	c := stage.RedisConfig{Program: script}
	if r.h != s.plan.Hosts[0] {
		c.ReplicaOf = s.Host(s.plan.Hosts[0]).Port(stage.DefaultPort)
	}
	server, err := s.Host(r.h).AddRedis(c)
	s.must(err)
	s.must(os.Chmod(s.Dir(), 0o755), exec.Command("chown", "-R", fmt.Sprintf("%d:%d", uid, gid), s.Host(r.h).Dir()).Run(),
		os.Chmod(s.Host(r.h).Dir(), 0o770|os.ModeSetgid), os.Chmod(server.File(), 0o640), server.Start(s.t.Context()))
	s.redis[r.h] = server
}

// install installs the package on a host that has never had it. Nothing is started, and the server may still be.
func (r *installed) install(deb string) {
	t := r.s.t
	t.Helper()
	r.give(deb)
	r.dpkg("-i", filepath.Join(r.s.Dir(), filepath.Base(deb)))
	r.unit = r.lines("/usr/lib/systemd/system/redkeep.service")
	for line, want := range map[string]string{
		"Type": "notify", "Restart": "always", "RestartPreventExitStatus": "2", "User": "redkeep",
		"AmbientCapabilities": "CAP_NET_ADMIN CAP_NET_RAW", "CapabilityBoundingSet": "CAP_NET_ADMIN CAP_NET_RAW",
	} {
		if r.unit[line] != want {
			t.Errorf("the agent's unit has %s=%s, and not %s", line, r.unit[line], want)
		}
	}
	if asked := r.asked(); len(asked) != 1 || !strings.HasSuffix(asked[0], " preset redkeep-gate.service") || r.s.agents[r.h] != nil {
		t.Errorf("%s: the installation asks systemd for %q", r.h, asked)
	}
	r.want(2, []string{"redkeep", "check"}, "redkeep.yaml:8:14: secret_file cannot be read", "create the file, readable by the agent's user alone")
	r.want(0, r.beforeServer(), "nothing to shut: no agent has run here")
	r.want(0, []string{"id", "-nG", "redkeep"}, "redkeep redis")
	r.want(0, []string{"sh", "-c", "stat -c '%U %G %a' /etc/redkeep/redkeep.yaml /var/lib/redkeep"}, "redkeep redkeep 600\nredkeep redkeep 700")
	r.want(0, []string{"sh", "-c", "zcat /usr/share/man/man1/redkeep.1.gz"}, ".SS redkeep leave")
	if _, err := exec.LookPath("systemd-analyze"); err == nil {
		r.want(0, []string{"systemd-analyze", "verify", "--man=no", "redkeep.service", "redkeep-gate.service"})
		r.want(0, []string{"systemd-analyze", "security", "--no-pager", "--offline=yes", "--threshold=25", "redkeep.service", "redkeep-gate.service"})
	}
}

// give puts a file where the host sees it.
func (r *installed) give(file string) {
	text, err := os.ReadFile(file)
	r.s.must(err, os.WriteFile(filepath.Join(r.s.Dir(), filepath.Base(file)), text, 0o644))
}

// beforeServer is what the drop-in runs before the server.
func (r *installed) beforeServer() []string {
	line := r.lines("/usr/lib/systemd/system/redis-server.service.d/redkeep.conf")["ExecStartPre"]
	return strings.Fields(strings.TrimPrefix(line, "+"))
}

// setUp does what the file says, and starts the agent.
func (r *installed) setUp() {
	s := r.s
	s.t.Helper()
	s.must(os.WriteFile(r.at("/etc/redkeep/redkeep.yaml"), []byte(s.config()), 0o600))
	r.want(0, []string{"redkeep", "check"}, "is good", r.h+" "+s.Host(r.h).Addr().String()+" (this host)")
	r.want(0, []string{"systemctl", "enable", "--now", "redkeep"})
	r.asked()
}

// upgrade installs the next release over the one that runs. What a person has set stays.
func (r *installed) upgrade(deb string) {
	t := r.s.t
	t.Helper()
	r.give(deb)
	before := r.s.agents[r.h]
	r.dpkg("-i", filepath.Join(r.s.Dir(), filepath.Base(deb)))
	if asked := r.asked(); len(asked) != 1 || asked[0] != "--quiet --system restart redkeep.service" {
		t.Errorf("%s: the upgrade asks systemd for %q", r.h, asked)
	}
	program, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", r.s.agents[r.h].Pid()))
	if now := r.s.agents[r.h]; now == before || err != nil || strings.Contains(program, "deleted") {
		t.Errorf("%s still runs %s (%v)", r.h, program, err)
	}
	r.want(0, []string{"dpkg-query", "-W", "-f", "${Version} ${Status}", "redkeep"}, "1.0.1 install ok installed")
	r.want(0, []string{"stat", "-c", "%U %a", "/etc/redkeep/redkeep.yaml"}, "redkeep 600")
	r.s.await(10*time.Second, "agent of "+r.h, func() bool { _, err := r.s.status(r.h); return err == nil })
}

// joinLater installs another server's package beside the agent, as far as the agent's is told of it.
func (r *installed) joinLater() {
	r.s.t.Helper()
	r.want(0, []string{"groupadd", "-f", "-r", "valkey"})
	r.want(0, []string{"/var/lib/dpkg/info/redkeep.postinst", "triggered", "/usr/bin/valkey-server"})
	r.want(0, []string{"id", "-nG", "redkeep"}, "redkeep redis valkey")
	if asked := r.asked(); len(asked) != 1 || asked[0] != "--quiet --system restart redkeep.service" {
		r.s.t.Errorf("%s: a group that was joined later asks systemd for %q", r.h, asked)
	}
	r.s.await(10*time.Second, "agent of "+r.h, func() bool { _, err := r.s.status(r.h); return err == nil })
}

// keepWithout tries to remove the package while the agent of a replica's node is dead, and its gate shut as at a boot: the group
// can't be left, and the package stays with all that it does.
func (r *installed) keepWithout(other *installed) {
	s := r.s
	s.t.Helper()
	_, err := s.agents[other.h].Kill()
	s.must(err)
	other.want(0, other.byUnit(other.lines("/usr/lib/systemd/system/redkeep-gate.service")), string(group)+": shut")
	time.Sleep(2 * s.plan.Lease)
	before := s.agents[r.h]
	r.asked()
	r.want(1, []string{"dpkg", "--no-triggers", "-r", "redkeep"}, "not removed: the groups could not be left", "systemctl stop redkeep, which hands a master over")
	r.want(0, []string{"dpkg-query", "-W", "-f", "${Status}", "redkeep"}, " ok installed")
	if asked := r.asked(); len(asked) != 1 || asked[0] != "--quiet --system start redkeep.service" || s.agents[r.h] != before || before.Ended() {
		s.t.Errorf("%s: a removal that is refused asks systemd for %q", r.h, asked)
	}
	other.start()
	s.awaitReady(10 * time.Second)
}

// awayAndBack removes the package from one host alone, whose agent a person has stopped, and installs it again: the others go on
// without the host, and then with it.
func (r *installed) awayAndBack(deb string) {
	s := r.s
	s.t.Helper()
	m := s.awaitReady(10 * time.Second)
	r.want(0, []string{"systemctl", "stop", "redkeep"})
	r.want(0, []string{"dpkg", "--no-triggers", "-r", "redkeep"}, "the groups were not left; the agents on the other nodes",
		"there is no gate", string(group)+": not left, so this host's server still starts as a replica of nothing")
	s.await(5*time.Second, r.h+" that is not in sync", func() bool { g, err := s.status(m); return err == nil && g.Writable && len(g.Why) > 0 })
	r.dpkg("-i", filepath.Join(s.Dir(), filepath.Base(deb)))
	if s.awaitReady(10 * time.Second); s.agents[r.h].Ended() {
		s.t.Errorf("the agent of %s is not started again", r.h)
	}
}

// remove takes the package away, and looks for what it has left.
func (r *installed) remove() {
	t, s := r.s.t, r.s
	t.Helper()
	r.asked()
	r.dpkg("-r", "redkeep")
	if asked := r.asked(); len(asked) != 1 || asked[0] != "stop redkeep.service" || !s.agents[r.h].Ended() {
		t.Errorf("%s: the removal asks systemd for %q; the agent has ended: %v", r.h, asked, s.agents[r.h].Ended())
	}
	if _, err := exec.LookPath("nft"); err == nil {
		if rules, _ := r.typed("nft", "list", "ruleset"); strings.Contains(rules, "redkeep") {
			t.Errorf("%s has rules of a package that is removed", r.h)
		}
	}
	if s.hasVIP(r.h) {
		t.Errorf("%s has the address of a package that is removed", r.h)
	}
	for _, gone := range []string{"/usr/bin/redkeep", "/usr/lib/systemd/system/redkeep.service", "/usr/lib/systemd/system/redis-server.service.d/redkeep.conf"} {
		if _, err := os.Lstat(r.at(gone)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s still has %s: %v", r.h, gone, err)
		}
	}
	file, err := os.ReadFile(s.redis[r.h].File())
	s.must(err)
	if role := s.command(r.h, "ROLE"); strings.Contains(string(file), "replicaof") != (role == "slave") {
		t.Errorf("the server of %s is a %s, and its file would make it another", r.h, role)
	}
}

// purge takes away what a removal keeps.
func (r *installed) purge() {
	r.s.t.Helper()
	r.dpkg("-P", "redkeep")
	r.want(0, []string{"sh", "-c", `! getent passwd redkeep && ! getent group redkeep && ! ls -d /etc/redkeep /var/lib/redkeep && ! find /etc/systemd /usr/lib/systemd /var/lib/systemd -name '*redkeep*' | grep .`})
}

// hasVIP reports whether one of the host's interfaces has the group's address.
func (s *Site) hasVIP(h string) (has bool) {
	s.t.Helper()
	s.must(s.Host(h).Do(func() {
		addrs, _ := net.InterfaceAddrs()
		for _, a := range addrs {
			has = has || strings.HasPrefix(a.String(), s.vip().String()+"/")
		}
	}))
	return has
}
