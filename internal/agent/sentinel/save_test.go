package sentinel

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"redkeep/internal/act/sentinelfile"
	face "redkeep/internal/show/sentinel"
	"redkeep/internal/speak/resp"
)

// unwritable has the directory of the file be gone for a while: what root does, no mode of a directory hinders.
func (r *running) unwritable() (again func()) {
	r.t.Helper()
	dir := filepath.Dir(r.path)
	if err := os.Rename(dir, dir+".away"); err != nil {
		r.t.Fatal(err)
	}
	return func() {
		if err := os.Rename(dir+".away", dir); err != nil {
			r.t.Fatal(err)
		}
	}
}

// vote asks for one, and returns whom it was given to.
func (c *client) vote(s *server, epoch int, id string) (leader string, term int64) {
	c.t.Helper()
	v := c.ask("SENTINEL", "IS-MASTER-DOWN-BY-ADDR", "127.0.0.1", fmt.Sprint(s.addr.Port), fmt.Sprint(epoch), id)
	if len(v.Elems) != 3 {
		c.t.Fatalf("the answer is %+v", v)
	}
	return v.Elems[1].Text, v.Elems[2].Int
}

// TestSavesThatFail: nothing is promised that is not on disk, what is asked is answered, and what was done is written when it can be.
func TestSavesThatFail(t *testing.T) {
	s := serve(t)
	r := runs(t, s.monitor("orders"))
	c, other := r.dial(), r.dial()
	id := strings.Repeat("a", 40)
	if leader, term := other.vote(s, 5, id); leader != id || term != 5 {
		t.Errorf("it votes for %q in epoch %d", leader, term)
	}
	again := r.unwritable()
	for range 3 {
		// Each of them is answered: a question that waits would hold up the pings behind it.
		if leader, _ := other.vote(s, 6, id); leader != "*" {
			t.Errorf("it promises %q what is not on disk", leader)
		}
	}
	other.want("PONG", "PING")
	for _, change := range [][]string{
		{"SENTINEL", "SET", "orders", "quorum", "2"}, {"SENTINEL", "FLUSHCONFIG"}, {"SENTINEL", "CONFIG", "SET", "announce-port", "7"},
		{"SENTINEL", "MONITOR", "carts", "127.0.0.1", "1", "1"},
	} {
		if v := c.ask(change...); v.Kind != resp.Error || !strings.Contains(v.Text, "Failed to save config file") {
			t.Errorf("%q: %+v", change, v)
		}
	}
	again()
	if leader, term := other.vote(s, 6, strings.Repeat("b", 40)); leader != id || term != 6 {
		t.Errorf("asked again it votes for %q in epoch %d", leader, term)
	}
	c.want("OK", "SENTINEL", "FLUSHCONFIG")
	for _, line := range []string{
		"sentinel leader-epoch orders 6", "sentinel current-epoch 6", "sentinel announce-port 7", "sentinel monitor carts 127.0.0.1 1 1",
		fmt.Sprintf("sentinel monitor orders 127.0.0.1 %d 2", s.addr.Port), "sentinel myid " + myID,
	} {
		if !strings.Contains(r.file(), line) {
			t.Errorf("the file has no %q:\n%s", line, r.file())
		}
	}
	if !strings.Contains(r.said(), "was not able to save the new configuration on disk") {
		t.Errorf("the log does not say so: %s", r.said())
	}
}

// TestEndOnADiskThatHangs comes all the same, with an error that says so. A pipe in the file's place is read for as long as a disk hangs.
func TestEndOnADiskThatHangs(t *testing.T) {
	r, o := configured(t, "sentinel monitor orders 127.0.0.1 1 1")
	o.Conf.MyID = "" // so that it saves at once
	if err := errors.Join(os.Remove(r.path), unix.Mkfifo(r.path, 0o600)); err != nil {
		t.Fatal(err)
	}
	r.begin(o)
	defer func() { // the disk goes on
		if f, err := os.OpenFile(r.path, os.O_WRONLY|unix.O_NONBLOCK, 0); err == nil {
			f.Close()
		}
	}()
	if _, err := r.dial().conn.Write(resp.AppendCommand(nil, "SHUTDOWN")); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := r.end(); !errors.Is(err, sentinelfile.ErrSlow) || time.Since(began) > longestSave+5*time.Second {
		t.Errorf("it ends with %v after %v", err, time.Since(began))
	}
}

// TestOneFileOfTwo is told by whoever starts as the second, but not by one who observes.
func TestOneFileOfTwo(t *testing.T) {
	first := runs(t, "sentinel monitor orders 127.0.0.1 1 1")
	first.dial().want("OK", "SENTINEL", "FLUSHCONFIG")
	for _, observe := range []bool{false, true} {
		r, o := configured(t, "sentinel monitor orders 127.0.0.1 1 1")
		o.Path, o.Observe = first.path, observe
		r.begin(o)
		if told := strings.Contains(r.said(), "another process uses "+first.path); told == observe {
			t.Errorf("observe %v: the log has\n%s", observe, r.said())
		}
		r.stop()
		if err := r.end(); err != nil {
			t.Error(err)
		}
	}
}

// TestVoteOutlastsARestart with the file that it wrote.
func TestVoteOutlastsARestart(t *testing.T) {
	s := serve(t)
	first := runs(t, s.monitor("orders"))
	if leader, _ := first.dial().vote(s, 9, strings.Repeat("a", 40)); leader == "*" {
		t.Fatal("it does not vote")
	}
	first.stop()
	if err := first.end(); err != nil {
		t.Fatal(err)
	}
	second := runs(t, linesAbout(first.file())...)
	if leader, _ := second.dial().vote(s, 9, strings.Repeat("b", 40)); leader == strings.Repeat("b", 40) {
		t.Error("it votes twice in an epoch")
	}
	if leader, term := second.dial().vote(s, 10, strings.Repeat("b", 40)); leader != strings.Repeat("b", 40) || term != 10 {
		t.Errorf("in the next it votes for %q in %d", leader, term)
	}
}

// linesAbout are the lines of a file that say what is watched.
func linesAbout(file string) (all []string) {
	for line := range strings.Lines(file) {
		if strings.HasPrefix(line, "sentinel ") && !strings.HasPrefix(line, "sentinel myid") {
			all = append(all, strings.TrimSpace(line))
		}
	}
	return all
}

// TestCrashAfterElection, which clients may ask for, ends it with its own status, when what it has decided is on disk.
func TestCrashAfterElection(t *testing.T) {
	s := serve(t)
	r, o := configured(t, s.monitor("orders"), "sentinel known-replica orders 127.0.0.1 "+fmt.Sprint(serve(t).addr.Port))
	r.begin(o)
	c := r.dial()
	c.want("OK", "SENTINEL", "SIMULATE-FAILURE", "crash-after-election")
	await(t, "a failover is begun", func() bool {
		v := c.ask("SENTINEL", "FAILOVER", "orders")
		return v.Text == "OK"
	})
	err := r.end()
	if crash := (Crash{}); !errors.As(err, &crash) || crash.ExitCode() != 99 {
		t.Errorf("it ends with %v", err)
	}
	if !strings.Contains(r.file(), "sentinel leader-epoch orders 1") {
		t.Errorf("the file has no vote:\n%s", r.file())
	}
}

// TestUsersOfAFile are written there and not in the Sentinel's own, and read anew.
func TestUsersOfAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "users.acl")
	if err := os.WriteFile(file, []byte("user default on nopass ~* &* +@all\nuser alice on >secret +ping\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := runs(t, "aclfile "+file, "sentinel monitor orders 127.0.0.1 1 1")
	c := r.dial()
	c.want("OK", "ACL", "SETUSER", "bob", "on", ">word", "+ping")
	c.want("OK", "ACL", "SAVE")
	text, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(text), "user bob on ") || strings.Contains(string(text), ">word") {
		t.Errorf("%s, %v", text, err)
	}
	if err := os.WriteFile(file, []byte("user default on nopass ~* &* +@all\nuser carol on >word +ping\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c.want("OK", "ACL", "LOAD")
	d := r.dial()
	d.want("OK", "AUTH", "carol", "word")
	if v := d.ask("SENTINEL", "MASTERS"); !strings.HasPrefix(v.Text, "NOPERM") {
		t.Errorf("%+v", v)
	}
	c.want("OK", "SENTINEL", "FLUSHCONFIG")
	if strings.Contains(r.file(), "user ") {
		t.Errorf("its own file has users:\n%s", r.file())
	}
	if err := os.WriteFile(file, []byte("user x +@nothing\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if v := c.ask("ACL", "LOAD"); v.Kind != resp.Error {
		t.Errorf("a bad file is taken: %+v", v)
	}
	d.want("PONG", "PING") // and what there was stays
}

// TestClientsSaveTheUsersAtOnce: each is told the truth, and whoever reads the file meanwhile finds a whole one.
func TestClientsSaveTheUsersAtOnce(t *testing.T) {
	const clients, rounds = 4, 15
	file := filepath.Join(t.TempDir(), "users.acl")
	if err := os.WriteFile(file, []byte("user default on nopass ~* &* +@all\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := runs(t, "aclfile "+file, "sentinel monitor orders 127.0.0.1 1 1")
	var all sync.WaitGroup
	for i := range clients {
		c, name := r.dial(), fmt.Sprintf("user%d", i)
		all.Go(func() {
			for round := range rounds {
				mine := fmt.Sprintf("%s-%d", name, round)
				for _, request := range [][]string{{"ACL", "SETUSER", mine, "on", ">word", "+ping"}, {"ACL", "SAVE"}} {
					if v := c.ask(request...); v.Text != "OK" {
						t.Errorf("%q: %q", request, v.Text)
					}
				}
				text, err := os.ReadFile(file)
				if err != nil || !strings.Contains(string(text), "user "+mine+" on ") || !strings.HasSuffix(string(text), "\n") {
					t.Errorf("saved, and %s is not in the file (%v):\n%s", mine, err, text)
				}
			}
		})
	}
	all.Wait()
}

// TestNamesThatAreNotFound: such a master is watched and down, and looked up again; a new one is refused.
func TestNamesThatAreNotFound(t *testing.T) {
	r := runs(t, "sentinel resolve-hostnames yes", "sentinel monitor orders nowhere.invalid 6379 1", "sentinel down-after-milliseconds orders 300")
	c := r.dial()
	await(t, "it is down", func() bool { return strings.Contains(c.ask("INFO", "sentinel").Text, "status=odown") })
	if v := c.ask("SENTINEL", "MONITOR", "carts", "elsewhere.invalid", "6379", "1"); !strings.Contains(v.Text, "Invalid IP address or hostname specified") {
		t.Errorf("%+v", v)
	}
	c.want("PONG", "PING")
	began := time.Now()
	r.stop()
	if err := r.end(); err != nil || time.Since(began) > 10*time.Second {
		t.Errorf("it ends with %v after %v", err, time.Since(began))
	}
}

// TestOwnCommandsRenamed: rename-command is about the Sentinel's own port, too.
func TestOwnCommandsRenamed(t *testing.T) {
	const hidden = "b840fc02d524045429941cc15f59e41cb7be6c52"
	r := runs(t, `rename-command SHUTDOWN ""`, "rename-command ACL "+hidden, "rename-command PING pang", "rename-command pang PING", "sentinel monitor orders 127.0.0.1 1 1")
	c := r.dial()
	for _, gone := range [][]string{{"SHUTDOWN"}, {"ACL", "WHOAMI"}, {"pang"}, {strings.Repeat("x", 100)}} {
		if v := c.ask(gone...); !strings.HasPrefix(v.Text, "ERR unknown command") {
			t.Errorf("%q: %+v", gone, v)
		}
	}
	c.want("default", strings.ToUpper(hidden), "WHOAMI")
	c.want("PONG", "PING")
	if v := c.ask("COMMAND", "COUNT"); v.Int != 14 {
		t.Errorf("%d commands", v.Int)
	}
	if v := runs(t, "sentinel monitor orders 127.0.0.1 1 1").dial().ask("COMMAND", "COUNT"); v.Int != 15 {
		t.Errorf("%d commands of another", v.Int)
	}
}

func TestLogLevelIsKept(t *testing.T) {
	r, o := configured(t)
	o.Flavor = face.Valkey9
	r.begin(o)
	if a := r.dial().ask("SENTINEL", "CONFIG", "SET", "loglevel", "Verbose"); a.Text != "OK" {
		t.Fatalf("the answer is %q", a.Text)
	}
	if file := r.file(); !strings.Contains(file, "loglevel verbose\n") {
		t.Errorf("the file is\n%s", file)
	}
}
