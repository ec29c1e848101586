package store

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"redkeep/internal/stage/need"
	"redkeep/internal/words"
)

// holdEnv makes the test's own program hold a state directory and wait for the end of its input.
const holdEnv = "REDKEEP_TEST_HOLD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(holdEnv); dir != "" {
		if _, err := Open(dir); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println("held")
		os.Stdin.Read(make([]byte, 1))
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func open(t testing.TB, dir string) *Store {
	t.Helper()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func save(t testing.TB, s *Store, group words.Group, record string) {
	t.Helper()
	if err := s.Save(group, []byte(record)); err != nil {
		t.Fatal(err)
	}
}

func wantRecord(t testing.TB, s *Store, group words.Group, want string) {
	t.Helper()
	if got, err := s.Load(group); err != nil || string(got) != want {
		t.Errorf("load %s: got %q, %v; want %q", group, got, err, want)
	}
}

func TestSessionGrowsAndIDStays(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "var", "redkeep")
	s := open(t, dir)
	id, session := s.ID(), s.Session()
	if len(id) < 20 || session == 0 || len(s.BootID()) != 36 {
		t.Errorf("id %q, session %d, boot %q", id, session, s.BootID())
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("state directory: %v, %v", info.Mode(), err)
	}
	for range 4 {
		s.Close()
		s = open(t, dir)
		if session++; s.ID() != id || s.Session() != session {
			t.Fatalf("id %q session %d, want %q %d", s.ID(), s.Session(), id, session)
		}
	}
	if err := s.Outgrow(session + 1000); err != nil || s.Session() != session {
		t.Fatalf("outgrow: %v, session %d", err, s.Session())
	}
	if err := s.Outgrow(3); err != nil {
		t.Fatal(err)
	}
	s.Close()
	if s = open(t, dir); s.Session() != session+1001 {
		t.Errorf("session %d after outgrow, want %d", s.Session(), session+1001)
	}
}

// A directory that was lost and made anew starts above every session that the peers can have heard of.
func TestNewDirectoryStartsAboveALostOne(t *testing.T) {
	lost, fresh := open(t, t.TempDir()), open(t, t.TempDir())
	if fresh.Session()+1 < lost.Session() || fresh.ID() == lost.ID() {
		t.Errorf("lost %s %d, fresh %s %d", lost.ID(), lost.Session(), fresh.ID(), fresh.Session())
	}
}

func TestRecordsSurviveReopening(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	if _, err := s.Load("orders"); !errors.Is(err, ErrNone) {
		t.Errorf("load before save: %v, want ErrNone", err)
	}
	names := []words.Group{"orders", "a/b ../c", "ümlaut", ".", "with space"}
	for round := range 5 {
		for _, g := range names {
			want := fmt.Sprintf("%s %d", g, round)
			save(t, s, g, want)
			wantRecord(t, s, g, want)
		}
		if round%2 == 1 {
			s.Close()
			s = open(t, dir)
		}
		for _, g := range names {
			wantRecord(t, s, g, fmt.Sprintf("%s %d", g, round))
		}
	}
	want := slices.Clone(names)
	slices.Sort(want)
	if got := s.Groups(); !slices.Equal(got, want) {
		t.Errorf("groups %q, want %q", got, want)
	}
	save(t, s, "orders", "")
	wantRecord(t, s, "orders", "")
}

func TestRecordLengthIsBounded(t *testing.T) {
	s := open(t, t.TempDir())
	longest := strings.Repeat("x", MaxRecord)
	save(t, s, "g", longest)
	if err := s.Save("g", []byte(longest+"y")); !errors.Is(err, ErrTooLong) {
		t.Errorf("too long: %v", err)
	}
	save(t, s, "g", "short again")
	wantRecord(t, s, "g", "short again")
	for _, g := range []words.Group{"", words.Group(strings.Repeat("n", 300))} {
		if err := s.Save(g, nil); err == nil {
			t.Errorf("group name of %d bytes was taken", len(g))
		}
	}
}

func TestGroupsAreSavedAtOnce(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	var all sync.WaitGroup
	for g := range 16 {
		all.Go(func() {
			for i := range 20 {
				if err := s.Save(words.Group(fmt.Sprint("g", g%8)), fmt.Appendf(nil, "%d", i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	s.Close()
	s = open(t, dir)
	for g := range 8 {
		wantRecord(t, s, words.Group(fmt.Sprint("g", g)), "19")
	}
}

func TestSecondProcessIsRefused(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), holdEnv+"="+dir)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	word := make([]byte, 4)
	if _, err := out.Read(word); err != nil || string(word) != "held" {
		t.Fatalf("the holder says %q, %v", word, err)
	}
	_, err = Open(dir)
	if !errors.Is(err, ErrHeld) || !strings.Contains(err.Error(), fmt.Sprintf("process %d", cmd.Process.Pid)) ||
		!strings.Contains(err.Error(), "--state-dir") {
		t.Errorf("second process: %v", err)
	}
	in.Close()
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	open(t, dir)
}

// damage returns copies of a file of two slots, each damaged in its own way within [from, to).
func damage(image []byte, from, to int) map[string][]byte {
	damaged := map[string][]byte{}
	for _, at := range []int{from, from + 7, from + 8, from + 15, from + 16, from + 19, from + 20, from + 23, from + 24,
		from + slotHeader - 1, from + slotHeader, to - 1} {
		b := bytes.Clone(image)
		b[at] ^= 0x40
		damaged[fmt.Sprintf("bit at %d", at)] = b
		b = bytes.Clone(image)
		clear(b[at:to])
		if !bytes.Equal(b, image) {
			damaged[fmt.Sprintf("zeros from %d", at)] = b
		}
	}
	return damaged
}

// A crash in the middle of any save leaves the record before it or the one after it.
func TestTornSlotLeavesTheOther(t *testing.T) {
	for saves := 1; saves <= 4; saves++ {
		dir := t.TempDir()
		s := open(t, dir)
		path := s.path("group-", "g")
		records := []string{""}
		for i := range saves {
			records = append(records, fmt.Sprintf("record %d of some length", i))
			save(t, s, "g", records[i+1])
		}
		s.Close()
		image, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		// The newest slot has generation saves+1.
		from := saves % 2 * groupSlotSize
		to := from + slotHeader + len(records[saves])
		for how, b := range damage(image, from, to) {
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
			s := open(t, dir)
			got, err := s.Load("g")
			if saves == 1 && !errors.Is(err, ErrNone) || saves > 1 && string(got) != records[saves-1] {
				t.Errorf("%d saves, %s: %q, %v", saves, how, got, err)
			}
			save(t, s, "g", "after the crash")
			s.Close()
			s = open(t, dir)
			wantRecord(t, s, "g", "after the crash")
			s.Close()
		}
	}
}

func TestTwoBadSlotsAreUnreadable(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	save(t, s, "g", "one")
	save(t, s, "g", "two")
	path := s.path("group-", "g")
	s.Close()
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	both := bytes.Clone(whole)
	both[slotHeader] ^= 1
	both[groupSlotSize+slotHeader] ^= 1
	for how, image := range map[string][]byte{
		"both damaged": both, "empty": {}, "short": whole[:20], "zeros": make([]byte, len(whole)),
		"swapped magic": bytes.ReplaceAll(whole, []byte("KEEP1"), []byte("KEEP2")),
	} {
		if err := os.WriteFile(path, image, 0o600); err != nil {
			t.Fatal(err)
		}
		s := open(t, dir)
		if _, err := s.Load("g"); !errors.Is(err, ErrUnreadable) || errors.Is(err, ErrNone) {
			t.Errorf("%s: %v, want ErrUnreadable", how, err)
		}
		if err := s.Save("g", []byte("x")); !errors.Is(err, ErrUnreadable) {
			t.Errorf("%s: save: %v, want ErrUnreadable", how, err)
		}
		s.Close()
	}
	s = open(t, dir)
	if err := s.Discard("g"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Load("g"); !errors.Is(err, ErrNone) {
		t.Errorf("after discard: %v, want ErrNone", err)
	}
	save(t, s, "g", "readmitted")
	if err := s.Discard("g"); err != nil {
		t.Fatal(err)
	}
	wantRecord(t, s, "g", "readmitted")
	if _, err := os.Stat(path + ".damaged"); err != nil {
		t.Error(err)
	}
}

func TestDeletedOrCopiedFileIsNotBelieved(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	save(t, s, "gone", "voted")
	save(t, s, "from", "voted")
	save(t, s, "onto", "voted")
	gone, from, onto := s.path("group-", "gone"), s.path("group-", "from"), s.path("group-", "onto")
	s.Close()
	if err := errors.Join(os.Remove(gone), os.Rename(from, onto)); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	for _, g := range []words.Group{"gone", "from", "onto"} {
		if _, err := s.Load(g); !errors.Is(err, ErrUnreadable) {
			t.Errorf("%s: %v, want ErrUnreadable", g, err)
		}
	}
}

func TestDamagedNodeRecord(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	path := filepath.Join(dir, "node")
	session := s.Session()
	s.Close()
	if err := os.Truncate(path, nodeSlotSize); err != nil {
		t.Fatal(err)
	}
	// The first start wrote slot 1, which is gone; slot 0 is the new file's, and no session is known.
	if s = open(t, dir); s.Session() < session {
		t.Errorf("session %d after %d", s.Session(), session)
	}
	s.Close()
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir); !errors.Is(err, ErrUnreadable) || !strings.Contains(err.Error(), "move the directory away") {
		t.Errorf("damaged node record: %v", err)
	}
}

// failing is a disk whose next write or sync fails.
type failing struct {
	disk
	writes int
}

func (f *failing) WriteAt(b []byte, off int64) (int, error) {
	if f.writes--; f.writes < 0 {
		n, _ := f.disk.WriteAt(b[:len(b)/2], off)
		return n, unix.EIO
	}
	return f.disk.WriteAt(b, off)
}

func TestFailedWritePoisonsUntilReopened(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	save(t, s, "g", "one")
	save(t, s, "other", "fine")
	file := s.groups["g"].file
	file.disk = &failing{disk: file.disk}
	if err := s.Save("g", []byte("two")); !errors.Is(err, ErrPoisoned) || !errors.Is(err, unix.EIO) {
		t.Errorf("failed write: %v", err)
	}
	file.disk.(*failing).writes = 100
	if err := s.Save("g", []byte("three")); !errors.Is(err, ErrPoisoned) {
		t.Errorf("save after a failed write: %v", err)
	}
	if _, err := s.Load("g"); !errors.Is(err, ErrPoisoned) {
		t.Errorf("load after a failed write: %v", err)
	}
	save(t, s, "other", "still fine")
	s.Close()
	s = open(t, dir)
	wantRecord(t, s, "g", "one")
	save(t, s, "g", "four")
}

func TestClosedStore(t *testing.T) {
	s := open(t, t.TempDir())
	save(t, s, "g", "one")
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
	if err := s.Save("g", nil); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("save after close: %v", err)
	}
	if err := s.Save("new", nil); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("save after close: %v", err)
	}
}

func TestDirectoryErrorsSayWhatToDo(t *testing.T) {
	shared := t.TempDir()
	if err := os.Chmod(shared, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(shared); err == nil || !strings.Contains(err.Error(), "chmod 700") {
		t.Errorf("shared directory: %v", err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{file, filepath.Join(file, "below")} {
		if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: %v", dir, err)
		}
	}
}

// onTinyDisk runs f on a locked thread in a mount namespace of its own, where dir is a file system of the given size.
func onTinyDisk(t *testing.T, dir, options string, f func()) {
	t.Helper()
	done := make(chan error)
	go func() {
		// The thread is not unlocked, so it ends with the goroutine, and its namespace and mount with it.
		runtime.LockOSThread()
		err := unix.Unshare(unix.CLONE_NEWNS | unix.CLONE_FS)
		if err == nil {
			err = unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
		}
		if err == nil {
			err = unix.Mount("tmpfs", dir, "tmpfs", 0, options)
		}
		if err == nil {
			f()
		}
		done <- err
	}()
	if err := <-done; err != nil {
		need.Right(t, "no mount namespace here: ", err)
	}
}

func TestFullDiskRefusesNewGroupsAndKeepsOldOnes(t *testing.T) {
	mount := t.TempDir()
	onTinyDisk(t, mount, "size=256k,mode=700", func() {
		s, err := Open(mount)
		if err != nil {
			t.Error(err)
			return
		}
		defer s.Close()
		save(t, s, "old", "one")
		full := false
		for i := range 20 {
			if err := s.Save(words.Group(fmt.Sprint("g", i)), []byte("x")); err != nil {
				full = errors.Is(err, unix.ENOSPC)
				break
			}
		}
		if !full {
			t.Error("the disk never was full")
		}
		save(t, s, "old", strings.Repeat("x", MaxRecord))
		left, err := filepath.Glob(filepath.Join(mount, ".*"))
		if err != nil || len(left) > 0 {
			t.Errorf("left behind: %q, %v", left, err)
		}
	})
}

func TestReadOnlyDiskSaysWhatToDo(t *testing.T) {
	mount := t.TempDir()
	onTinyDisk(t, mount, "size=256k,mode=700", func() {
		if err := unix.Mount("", mount, "", unix.MS_REMOUNT|unix.MS_RDONLY, "size=256k,mode=700"); err != nil {
			t.Error(err)
			return
		}
		if _, err := Open(mount); !errors.Is(err, unix.EROFS) || !strings.Contains(err.Error(), "--state-dir") {
			t.Errorf("read-only: %v", err)
		}
	})
}

func BenchmarkSave(b *testing.B) {
	for _, size := range []int{200, 4000, MaxRecord} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			s := open(b, b.TempDir())
			record := make([]byte, size)
			b.ReportAllocs()
			for b.Loop() {
				if err := s.Save("g", record); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
