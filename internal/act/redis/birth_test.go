package redis

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"redkeep/internal/decide"
	"redkeep/internal/stage/need"
	"redkeep/internal/words"
)

func TestEditBirth(t *testing.T) {
	dead := "replicaof 127.0.0.1 1"
	for name, c := range map[string]struct {
		text, want string
		b          birth
		modern     bool
	}{
		"empty":       {"", dead + "\n", deadEndBirth, true},
		"old":         {"port 1\n", "port 1\nslaveof 127.0.0.1 1\n", deadEndBirth, false},
		"no line end": {"port 1", "port 1\n" + dead + "\n", deadEndBirth, true},
		"replaced":    {"a 1\nReplicaOf h 2\r\nmasterauth x\n", "a 1\nReplicaOf 127.0.0.1 1\r\nmasterauth x\n", deadEndBirth, true},
		"several":     {"slaveof a 1\nx y\n replicaof b 2\n", "slaveof 127.0.0.1 1\nx y\n", deadEndBirth, true},
		"comment":     {"# replicaof a 1\n", "# replicaof a 1\n" + dead + "\n", deadEndBirth, true},
		"bad quotes":  {"x \"y\n", "x \"y\n" + dead + "\n", deadEndBirth, true},
		"a master":    {"x y\n" + dead + "\n", "x y\n", birth{}, true},
	} {
		got := string(editBirth([]byte(c.text), c.b, c.modern))
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		if again := string(editBirth([]byte(got), c.b, c.modern)); again != got {
			t.Errorf("%s: edited again %q", name, again)
		}
	}
}

func FuzzEditBirth(f *testing.F) {
	f.Add("port 1\nreplicaof a 1\nsave \"\"\n")
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(strings.ToLower(text), "include") {
			t.Skip("reads other files")
		}
		path := filepath.Join(t.TempDir(), "f")
		if err := os.WriteFile(path, editBirth([]byte(text), deadEndBirth, true), 0o600); err != nil {
			t.Fatal(err)
		}
		if b, err := readBirth(path); err != nil || b != deadEndBirth {
			t.Fatalf("%q: %+v, %v", text, b, err)
		}
	})
}

func TestReadBirthFollowsIncludes(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	main := put("main", "replicaof 127.0.0.1 1\ninclude "+dir+"/*.conf\n")
	if b, err := readBirth(main); err != nil || b != deadEndBirth {
		t.Errorf("without an include: %+v, %v", b, err)
	}
	put("a.conf", "replicaof 10.0.0.1 6379\ninclude "+dir+"/a.conf\n")
	if b, err := readBirth(main); err != nil || b != (birth{"10.0.0.1", "6379"}) {
		t.Errorf("with an include: %+v, %v", b, err)
	}
	put("z.conf", "slaveof no one\n")
	if b, err := readBirth(main); err != nil || b != (birth{}) {
		t.Errorf("with no one: %+v, %v", b, err)
	}
}

func TestFenceBirth(t *testing.T) {
	s := startServer(t, "masterauth keep-me", "maxmemory 100mb")
	if err := os.Chown(s.file(), 65534, 65534); err != nil && os.Getuid() == 0 {
		t.Fatal(err)
	}
	was, err := os.ReadFile(s.file())
	if err != nil {
		t.Fatal(err)
	}
	h, d, seen := watchServer(t, Config{Addr: s.addr()})
	ctx := bounded(t)
	now, err := h.FenceBirth(ctx)
	if err != nil || !now.BornFenced || now.Role != words.RoleMaster {
		t.Fatalf("%+v, %v", now, err)
	}
	is, err := os.ReadFile(s.file())
	if err != nil || string(is) != string(was)+"replicaof 127.0.0.1 1\n" {
		t.Errorf("the file says %q, %v", is, err)
	}
	var at unix.Stat_t
	if err := unix.Stat(s.file(), &at); err != nil || at.Mode&0o777 != 0o640 || os.Getuid() == 0 && at.Uid != 65534 {
		t.Errorf("mode %o, owner %d, %v", at.Mode, at.Uid, err)
	}
	wait(t, d, "look at the file", func(e decide.Seen) bool { return e.Server.BornFenced })
	// A person's CONFIG REWRITE on a master takes the line away, and that is seen.
	s.do("CONFIG", "REWRITE")
	wait(t, d, "loss of the line", func(e decide.Seen) bool { return !e.Server.BornFenced })
	if _, err := h.FenceBirth(ctx); err != nil {
		t.Fatal(err)
	}
	s.kill()
	s.start()
	born := wait(t, d, "return", func(e decide.Seen) bool { return e.Server.RunID != seen.RunID })
	if !born.Server.Fenced() || !born.Server.BornFenced {
		t.Errorf("born %+v", born.Server)
	}
	if _, err := h.Promote(ctx, born.Server.RunID); err != nil {
		t.Fatal(err)
	}
	if now, err = h.UnfenceBirth(ctx); err != nil || now.BornFenced {
		t.Errorf("%+v, %v", now, err)
	}
	if is, err := os.ReadFile(s.file()); err != nil || strings.Contains(string(is), "replicaof 127") {
		t.Errorf("the file says %q, %v", is, err)
	}
}

// An agent of another user may read the file and not write it: then the server writes it, while it follows the dead end.
func TestFenceBirthByTheServerItself(t *testing.T) {
	s := startServer(t)
	for path, mode := range map[string]os.FileMode{s.file(): 0o644, s.dir: 0o755, filepath.Dir(s.dir): 0o755} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	h, _, seen := watchServer(t, Config{Addr: s.addr()})
	ctx := bounded(t)
	// Only this thread becomes another user, and an order reads and writes files on its caller's.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if os.Getuid() != 0 {
		need.Right(t, "only root can be two users: the server must be able to write where the agent is not")
	}
	if err := unix.Setfsuid(65534); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Setfsuid(0) }()
	if _, err := h.FenceBirth(ctx); err == nil || !strings.Contains(err.Error(), "write the line") {
		t.Errorf("on a master: %v", err)
	}
	if _, err := h.Demote(ctx, seen.RunID); err != nil {
		t.Fatal(err)
	}
	if now, err := h.FenceBirth(ctx); err != nil || !now.BornFenced {
		t.Errorf("on a fenced replica: %+v, %v", now, err)
	}
}

// An agent that is in the server's group, as on Debian with the user redkeep in the group redis, writes the file itself: the
// file changes its owner, and the server reads it by its group.
func TestFenceBirthByTheGroup(t *testing.T) {
	if os.Getuid() != 0 {
		need.Right(t, "only root can be two users")
	}
	s := startServer(t)
	for path, mode := range map[string]os.FileMode{s.file(): 0o640, s.dir: 0o770, filepath.Dir(s.dir): 0o755} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	h, _, _ := watchServer(t, Config{Addr: s.addr()})
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Setfsuid(65534); err != nil {
		t.Fatal(err)
	}
	now, err := h.FenceBirth(bounded(t))
	_ = unix.Setfsuid(0)
	if err != nil || !now.BornFenced {
		t.Fatalf("%+v, %v", now, err)
	}
	var at unix.Stat_t
	if err := unix.Stat(s.file(), &at); err != nil || at.Mode&0o777 != 0o640 || at.Uid != 65534 || at.Gid != 0 {
		t.Errorf("mode %o, owner %d, group %d, %v", at.Mode, at.Uid, at.Gid, err)
	}
	if inGroup(os.Getpid(), 4_000_000) || inGroup(0, 0) {
		t.Error("in a group of nobody's")
	}
}

func TestServerWithoutAFileIsNotBornFenced(t *testing.T) {
	f := startFake(t, old28())
	h, _, _ := watchServer(t, Config{Addr: f.addr()})
	if now, err := h.FenceBirth(bounded(t)); err == nil || now.BornFenced || !strings.Contains(err.Error(), "without a file") {
		t.Errorf("%+v, %v", now, err)
	}
}
