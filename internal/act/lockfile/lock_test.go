package lockfile

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
)

// TestTheFileOfAProcessThatIsKilled is somebody's who is named, until the moment his process is gone, though the file is still there.
func TestTheFileOfAProcessThatIsKilled(t *testing.T) {
	const variable = "REDKEEP_TEST_LOCKS"
	if path := os.Getenv(variable); path != "" {
		_, err := Take(path)
		fmt.Printf("took %v\n", err)
		_, _ = bufio.NewReader(os.Stdin).ReadByte() // lives until it is killed, or the test is
		return
	}
	path := filepath.Join(t.TempDir(), "lock")
	if IsHeld(path) || HolderOf(path) != unknown {
		t.Error("a file that is not there is held")
	}
	other := exec.Command(os.Args[0], "-test.run=^TestTheFileOfAProcessThatIsKilled$")
	other.Env = append(os.Environ(), variable+"="+path)
	in, err := other.StdinPipe()
	must(t, err)
	defer in.Close()
	out, err := other.StdoutPipe()
	must(t, err)
	must(t, other.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || line != "took <nil>\n" {
		t.Fatalf("%q, %v", line, err)
	}
	held, pid := new(HeldError), strconv.Itoa(other.Process.Pid)
	if _, err := Take(path); !errors.As(err, &held) || held.PID != pid || !IsHeld(path) || HolderOf(path) != pid {
		t.Errorf("beside it: %v, held %v by %s", err, IsHeld(path), HolderOf(path))
	}
	must(t, other.Process.Kill())
	_ = other.Wait()
	if _, err := os.Stat(path); err != nil || IsHeld(path) {
		t.Errorf("what is left is held: %v, %v", err, IsHeld(path))
	}
	l, err := Take(path)
	must(t, err)
	if HolderOf(path) != strconv.Itoa(os.Getpid()) || l.Path() != path {
		t.Errorf("%s is %s's", l.Path(), HolderOf(path))
	}
	must(t, l.Close())
	if _, err := os.Stat(path); err != nil || IsHeld(path) {
		t.Errorf("closed, it is gone or held: %v", err)
	}
}

// TestTakeAndRemove by several at once: whoever has the file has the one that is there.
func TestTakeAndRemove(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	var all sync.WaitGroup
	var mu sync.Mutex
	having, took := 0, 0
	for range 4 {
		all.Go(func() {
			for range 200 {
				l, err := Take(path)
				if err != nil {
					continue
				}
				mu.Lock()
				if having++; having != 1 {
					t.Errorf("%d have it", having)
				}
				if took++; !l.named() {
					t.Error("what one has is not there")
				}
				mu.Unlock()
				mu.Lock()
				having--
				mu.Unlock()
				l.Remove()
			}
		})
	}
	all.Wait()
	if _, err := os.Stat(path); took == 0 || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("taken %d times; it is left: %v", took, err)
	}
}

// TestTheFileThatAnotherHasMadeAnew is left to him by whom somebody has taken it from.
func TestTheFileThatAnotherHasMadeAnew(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	before, err := Take(path)
	must(t, err)
	must(t, os.Remove(path))
	after, err := Take(path)
	must(t, err)
	before.Remove()
	if !IsHeld(path) {
		t.Error("it is gone, or free")
	}
	after.Remove()
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it is left: %v", err)
	}
}

// TestWhatCanNotBeTaken is no lock of another process.
func TestWhatCanNotBeTaken(t *testing.T) {
	dir := t.TempDir()
	if _, err := Take(filepath.Join(dir, "none", "lock")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a directory: %v", err)
	}
	link := filepath.Join(dir, "link")
	must(t, os.Symlink(filepath.Join(dir, "elsewhere"), link))
	if _, err := Take(link); err == nil || errors.As(err, new(*HeldError)) {
		t.Errorf("through a link: %v", err)
	}
	if _, err := os.Lstat(filepath.Join(dir, "elsewhere")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("made through a link: %v", err)
	}
	if !IsHeld(link) {
		t.Error("what can't be looked at is told to be free")
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
