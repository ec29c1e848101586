package keepalived

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"redkeep/internal/speak/keepalivedconf"
)

// diary is scripts that write what they do into one file.
type diary struct {
	t    *testing.T
	path string
	n    *notes
	stop func()
}

func newDiary(t *testing.T) *diary {
	d := &diary{t: t, path: filepath.Join(t.TempDir(), "diary"), n: newNotes(slog.New(slog.DiscardHandler))}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); d.n.run(ctx) }() // ends with the context
	d.stop = func() { cancel(); <-done }
	t.Cleanup(d.stop)
	return d
}

// script is one that says its name and begin, waits, and says its end.
func (d *diary) script(name, wait string) keepalivedconf.Command {
	return keepalivedconf.Command{Args: []string{"/bin/sh", "-c", "echo " + name + " begins >>" + d.path + "; " + wait + "\necho " + name + " ends >>" + d.path}}
}

func (d *diary) text() string {
	text, _ := os.ReadFile(d.path) // there is none at first
	return string(text)
}

func (d *diary) has(text string) {
	d.t.Helper()
	await(d.t, text, func() bool { return strings.Contains(d.text(), text) })
}

// TestScriptsRunOneAtATime is of one state: the specific one first, then the general one.
func TestScriptsRunOneAtATime(t *testing.T) {
	d := newDiary(t)
	d.n.tell([]keepalivedconf.Command{d.script("one", "sleep 0.1"), d.script("two", "true")})
	d.n.await(t.Context())
	if got := d.text(); got != "one begins\none ends\ntwo begins\ntwo ends\n" {
		t.Errorf("they did %q", got)
	}
}

// TestTheNewestStateWins is a host that is told to be the backup, and three seconds later the master, by scripts that sleep: the older
// one must not have the last word.
func TestTheNewestStateWins(t *testing.T) {
	d := newDiary(t)
	d.n.tell([]keepalivedconf.Command{d.script("backup", "sleep 60"), d.script("general", "true")})
	d.has("backup begins")
	d.n.tell([]keepalivedconf.Command{d.script("master", "sleep 0.1")})
	d.n.await(t.Context())
	if got := d.text(); got != "backup begins\nmaster begins\nmaster ends\n" {
		t.Errorf("they did %q", got)
	}
}

// TestAStateWithoutAScriptEndsTheOldOnes is a file with notify_master alone: the promotion of a host that has lost the address again must not
// go on beside that of the next master.
func TestAStateWithoutAScriptEndsTheOldOnes(t *testing.T) {
	d := newDiary(t)
	d.n.tell([]keepalivedconf.Command{d.script("master", "sleep 60"), d.script("general", "true")})
	d.has("master begins")
	d.n.tell(nil)
	d.n.await(t.Context())
	if got := d.text(); got != "master begins\n" {
		t.Errorf("they did %q", got)
	}
}

// TestAScriptThatWillNotEndIsKilled with all that it has started.
func TestAScriptThatWillNotEndIsKilled(t *testing.T) {
	d := newDiary(t)
	d.n.tell([]keepalivedconf.Command{d.script("stubborn", "trap '' TERM; (sleep 2; echo its child ends >>"+d.path+") & sleep 60")})
	d.has("stubborn begins")
	d.n.tell([]keepalivedconf.Command{d.script("next", "sleep 2")})
	d.n.await(t.Context())
	if got := d.text(); got != "stubborn begins\nnext begins\nnext ends\n" {
		t.Errorf("they did %q", got)
	}
}

// TestCommands is what scripts are told.
func TestCommands(t *testing.T) {
	one := func(path string) *keepalivedconf.Command { return &keepalivedconf.Command{Args: []string{path, "own"}} }
	n := keepalivedconf.Notify{Master: one("m"), Backup: one("b"), Fault: one("f"), Stop: one("s"), Deleted: one("d"), Any: one("any")}
	for word, own := range map[string]string{"MASTER": "m", "BACKUP": "b", "FAULT": "f", "STOP": "s", "DELETED": "d"} {
		got := commandsFor(n, word, "INSTANCE", "VI_1", 150)
		if len(got) != 2 || !reflect.DeepEqual(got[0].Args, []string{own, "own"}) ||
			!reflect.DeepEqual(got[1].Args, []string{"any", "own", "INSTANCE", "VI_1", word, "150"}) {
			t.Errorf("%s: %v", word, got)
		}
	}
	if got := n.Any.Args; len(got) != 2 {
		t.Errorf("the configuration has become %v", got)
	}
	if got := commandsFor(keepalivedconf.Notify{}, "MASTER", "GROUP", "g", 0); got != nil {
		t.Errorf("without scripts: %v", got)
	}
}

// TestPipe is that what is said before its reader comes is not lost, and that the program which reads it is told its path.
func TestPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fifo")
	one, err := openPipe(keepalivedconf.Fifo{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	one.log = slog.New(slog.DiscardHandler)
	one.say("INSTANCE \"VI_1\" MASTER 150\n")
	reader, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	buf := make([]byte, 100)
	n, err := reader.Read(buf)
	if err != nil || string(buf[:n]) != "INSTANCE \"VI_1\" MASTER 150\n" {
		t.Errorf("read %q, %v", buf[:n], err)
	}
	one.close()
	if _, err := os.Lstat(path); err == nil {
		t.Error("the fifo is left")
	}
	plain := filepath.Join(t.TempDir(), "plain")
	if err := os.WriteFile(plain, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openPipe(keepalivedconf.Fifo{Path: plain}); err == nil {
		t.Error("a plain file was taken for a fifo")
	}
}
