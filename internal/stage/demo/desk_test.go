package demo

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// sit opens a desk at which answer carries commands out, until the test ends.
func sit(t *testing.T, answer func(request) reply) (socket string) {
	t.Helper()
	socket = filepath.Join(t.TempDir(), "private", "socket")
	d, err := openDesk(Options{Keep: true, Socket: socket})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { // ends with the desk
		defer close(done)
		for {
			select {
			case o := <-d.orders:
				o.answer <- answer(o.request)
			case <-d.end:
				return
			}
		}
	}()
	t.Cleanup(func() { d.close(); <-done })
	if answer != nil {
		d.open()
	}
	return socket
}

func TestDeskPassesCommandsOn(t *testing.T) {
	socket := sit(t, func(r request) reply {
		if r.Word == "shell" {
			return reply{Place: &Place{Network: "/proc/1/ns/net"}}
		}
		return reply{Text: r.Host + ": " + r.Word}
	})
	said, _, err := Ask(t.Context(), socket, "kill", "h1")
	if err != nil || said != "h1: kill" {
		t.Errorf("%q, %v", said, err)
	}
	if _, at, err := Ask(t.Context(), socket, "shell", "h1"); err != nil || at == nil || at.Network != "/proc/1/ns/net" {
		t.Errorf("%v, %v", at, err)
	}
}

func TestDeskSaysWhoseFaultItIs(t *testing.T) {
	socket := sit(t, func(r request) reply {
		if r.Word == "cut" {
			return failed(refuse("it is cut off already"))
		}
		return failed(errors.New("disk full"))
	})
	for word, want := range map[string]Code{"cut": Refused, "kill": Failed} {
		_, _, err := Ask(t.Context(), socket, word, "h1")
		var d *Denial
		if !errors.As(err, &d) || d.Code != want {
			t.Errorf("%s: %v", word, err)
		}
	}
	early := sit(t, nil)
	_, _, err := Ask(t.Context(), early, "kill", "h1")
	var d *Denial
	if !errors.As(err, &d) || d.Code != Refused || !strings.Contains(d.Text, "wait until") {
		t.Errorf("before the story's end: %v", err)
	}
}

func TestNoDemoIsSaid(t *testing.T) {
	stale := filepath.Join(t.TempDir(), "private", "socket")
	if _, _, err := Ask(t.Context(), stale, "kill", "h1"); !errors.Is(err, ErrNone) {
		t.Errorf("without a socket: %v", err)
	}
	// What a demo left that was killed is no demo, and is in nobody's way.
	if err := os.Mkdir(filepath.Dir(stale), 0o700); err != nil {
		t.Fatal(err)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: stale})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Ask(t.Context(), stale, "kill", "h1"); !errors.Is(err, ErrNone) {
		t.Errorf("with a dead socket: %v", err)
	}
	d, err := openDesk(Options{Keep: true, Socket: stale})
	if err != nil {
		t.Fatal(err)
	}
	d.close()
}

func TestOneDemoAtASocket(t *testing.T) {
	socket := sit(t, func(request) reply { return reply{} })
	if d, err := openDesk(Options{Keep: true, Socket: socket}); err == nil || !strings.Contains(err.Error(), "REDKEEP_DEMO_SOCKET") {
		if err == nil {
			d.close()
		}
		t.Errorf("a second one: %v", err)
	}
	open := filepath.Join(t.TempDir(), "open")
	if err := os.Mkdir(open, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(open, 0o755); err != nil {
		t.Fatal(err)
	}
	if d, err := openDesk(Options{Keep: true, Socket: filepath.Join(open, "socket")}); err == nil {
		d.close()
		t.Error("others may enter the socket's directory")
	}
}

func TestDeskIsNotHeldUpByTheSilent(t *testing.T) {
	socket := sit(t, func(request) reply { return reply{Text: "done"} })
	for range guests - 1 {
		conn, err := net.Dial("unix", socket)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if _, _, err := Ask(ctx, socket, "kill", "h1"); err != nil {
		t.Error(err)
	}
	if conn, err := net.Dial("unix", socket); err == nil {
		defer conn.Close()
		if _, err := conn.Write([]byte(strings.Repeat("x", 2*requestLimit))); err != nil {
			t.Log(err)
		}
	}
	if _, _, err := Ask(ctx, socket, "kill", "h1"); err != nil {
		t.Errorf("after nonsense: %v", err)
	}
}
