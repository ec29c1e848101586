package sockets

import (
	"os"
	"os/exec"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestNoDescriptors runs itself in a process of its own, whose limit it lowers: a connection that can't be accepted waits,
// and the loop does not spin meanwhile.
func TestNoDescriptors(t *testing.T) {
	if os.Getenv("SOCKETS_LIMITED") == "" {
		self := exec.Command(os.Args[0], "-test.run=^TestNoDescriptors$", "-test.v")
		self.Env = append(os.Environ(), "SOCKETS_LIMITED=1")
		if out, err := self.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	var at string
	turns := make(chan time.Time, 1000)
	l := running(t, Config{Turn: func() {
		if len(turns) < cap(turns) {
			turns <- time.Now()
		}
	}}, func(l *Loop) {
		at = serving(t, l, func(*Conn) Handler { return &played{received: echo} })
	})
	first := dialled(t, at)
	if err := ask(first, "first\n"); err != nil {
		t.Fatal(err)
	}
	second := dialled(t, at)
	if err := ask(second, "second\n"); err != nil {
		t.Fatal(err)
	}
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	third, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0) // made before there are none
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(third)
	on(t, l, func() {
		low := limit
		low.Cur = uint64(third) + 1
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &low); err != nil {
			t.Error(err)
		}
	})
	if err := unix.Connect(third, mustForm(t, at)); err != nil {
		t.Fatal(err)
	}
	eventually(t, l, "the listener rests", func() bool { return l.pausedTo != 0 })
	on(t, l, func() {
		for len(turns) > 0 {
			<-turns
		}
	})
	began := within(t, turns, "a turn")
	var last time.Time
	for range 10 {
		last = within(t, turns, "a turn")
	}
	if took := last.Sub(began); took < 3*relief {
		t.Errorf("ten turns in %v", took)
	}
	if err := ask(first, "still\n"); err != nil {
		t.Error(err)
	}
	second.Close()
	if _, err := unix.Write(third, []byte("x\n")); err != nil {
		t.Fatal(err)
	}
	_ = unix.SetsockoptTimeval(third, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 5})
	b := make([]byte, 2)
	n, err := unix.Read(third, b)
	for err == unix.EINTR { // by the runtime's own signals, which spare only what waits without a limit
		n, err = unix.Read(third, b)
	}
	if n != 2 || err != nil {
		t.Errorf("read %d, %v", n, err)
	}
}
