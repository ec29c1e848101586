package logfile

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"redkeep/internal/speak/logline"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestRotation: a file that was renamed gets no more, without a signal.
func TestRotation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.log")
	l, err := Open(Options{Path: path, Least: logline.Notice})
	if err != nil {
		t.Fatal(err)
	}
	l.Write(logline.Verbose, "too low")
	l.Write(logline.Notice, "one")
	l.Flush(10 * time.Second)
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	l.SetLeast(logline.Debug)
	l.Write(logline.Debug, "two")
	l.Flush(10 * time.Second)
	for name, want := range map[string]string{path + ".1": `^\d+:X .* \* one\n$`, path: `^\d+:X .* \. two\n$`} {
		if text, err := os.ReadFile(name); err != nil || !regexp.MustCompile(want).Match(text) {
			t.Errorf("%s: %q, %v", name, text, err)
		}
	}
	if _, err := Open(Options{Path: t.TempDir()}); err == nil {
		t.Error("a directory is taken for a log")
	}
}

// slow is a reader of standard output that does not read.
type slow struct {
	bytes.Buffer
	gate chan struct{}
}

func (s *slow) Write(b []byte) (int, error) { <-s.gate; return s.Buffer.Write(b) }

// TestWriteNeverWaits: what is too much is lost, and counted.
func TestWriteNeverWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &slow{gate: make(chan struct{})}
		l, err := Open(Options{Out: out})
		if err != nil {
			t.Fatal(err)
		}
		const lines = 3000
		for range lines {
			l.Write(logline.Warning, strings.Repeat("x", 1000))
		}
		began := time.Now()
		l.Flush(time.Second)
		if d := time.Since(began); d != time.Second {
			t.Errorf("waited for %v", d)
		}
		close(out.gate)
		l.Flush(time.Second)
		got := out.String()
		// Up to as much as may wait was taken by the goroutine before it stood still.
		if n := strings.Count(got, "\n"); n < 1000 || n > 2100 || !strings.Contains(got[len(got)-100:], "lines of the log are lost") {
			t.Errorf("%d lines, ending in %q", n, got[len(got)-100:])
		}
	})
}

func TestSyslog(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "log")
	listen := func() *net.UnixConn {
		c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
		return c
	}
	local3, _ := ParseFacility("LOCAL3")
	l, err := Open(Options{Out: &bytes.Buffer{}, Syslog: &Syslog{Ident: "sentinel", Facility: local3, Socket: socket}})
	if err != nil {
		t.Fatal(err)
	}
	l.Write(logline.Notice, "nobody there")
	l.Flush(10 * time.Second)
	for i := range 2 { // the second is another daemon, after a restart
		c := listen()
		l.Write(logline.Warning, "+sdown\nx")
		var got [1000]byte
		n, err := c.Read(got[:])
		if err != nil || !regexp.MustCompile(`^<156>\w{3} [ \d]\d \d\d:\d\d:\d\d sentinel\[\d+\]: \+sdown\\nx$`).Match(got[:n]) {
			t.Errorf("daemon %d got %q, %v", i, got[:n], err)
		}
		l.Flush(10 * time.Second)
		_ = c.Close()
		_ = os.Remove(socket)
	}
	l.Write(logline.Warning, "the end")
	l.Flush(10 * time.Second)
}

func TestFacilities(t *testing.T) {
	for name, want := range map[string]int{"user": 1, "local0": 16, "Local7": 23} {
		if f, ok := ParseFacility(name); !ok || f != want {
			t.Errorf("%s: %d, %v", name, f, ok)
		}
	}
	for _, name := range []string{"", "local", "local8", "local10", "daemon"} {
		if f, ok := ParseFacility(name); ok {
			t.Errorf("%s: %d", name, f)
		}
	}
}
