package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"redkeep/internal/act/peer"
	"redkeep/internal/picture"
	"redkeep/internal/show/api"
	"redkeep/internal/stage/need"
)

// fakeAgent answers status on the loopback with one picture.
func fakeAgent(t *testing.T, at netip.AddrPort) *peer.Peer {
	t.Helper()
	n := picture.Node{Node: "h1", Version: "0.1.0", Groups: []picture.Group{{Name: "orders", Self: "h1", Master: "h1", Epoch: 7, Writable: true}}}
	h := api.New(api.Config{Picture: func() picture.Node { return n }})
	p, err := peer.Open(t.Context(), peer.Config{Self: "h1", Session: 1, Listen: at, Secret: []byte("a-shared-secret"), OnAsk: h.Ask})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// watched runs `redkeep status --watch` on an output until end is called, which returns its exit code.
func watched(t *testing.T, out *os.File, at netip.AddrPort, more ...string) (end func() code) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "redkeep.yaml")
	text := "secret: a-shared-secret\nnodes: {h1: 203.0.113.1, h2: 203.0.113.2, h3: 203.0.113.3}\ngroups: {orders: {redis: 6379}}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan code, 1)
	args := append([]string{"status", "--watch", "--interval", "100ms", "-c", file, "--addr", at.String()}, more...)
	go func() { ended <- execute(ctx, args, streams{in: strings.NewReader(""), out: out, err: out}) }()
	return func() code {
		cancel()
		select {
		case c := <-ended:
			return c
		case <-time.After(10 * time.Second):
			t.Fatal("watch does not end")
			return 0
		}
	}
}

// until reads what is shown, up to and with a text.
func until(t *testing.T, from *os.File, text string) string {
	t.Helper()
	var got bytes.Buffer
	limit := time.Now().Add(10 * time.Second)
	chunk := make([]byte, 4096)
	for !strings.Contains(got.String(), text) {
		if err := from.SetReadDeadline(limit); err != nil {
			t.Fatal(err)
		}
		n, err := from.Read(chunk)
		got.Write(chunk[:n])
		if err != nil {
			t.Fatalf("waiting for %q: %v after %q", text, err, got.String())
		}
	}
	return got.String()
}

// newTerminal returns both ends of a terminal of 30 rows and 100 columns.
func newTerminal(t *testing.T) (person, program *os.File) {
	t.Helper()
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		need.Right(t, "no terminals here: ", err)
	}
	person = os.NewFile(uintptr(fd), "ptmx")
	t.Cleanup(func() { _ = person.Close() })
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		err = unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 30, Col: 100})
	}
	if err == nil {
		program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if err != nil {
		need.Right(t, "no terminals here: ", err)
	}
	t.Cleanup(func() { _ = program.Close() })
	return person, program
}

func TestWatchOnATerminal(t *testing.T) {
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "")
	person, program := newTerminal(t)
	agent := fakeAgent(t, netip.MustParseAddrPort("127.0.0.1:0"))
	at := agent.Addr()
	end := watched(t, program, at)
	first := until(t, person, "\x1b[32mwritable\x1b[0m")
	if !strings.HasPrefix(first, enterScreen+home) {
		t.Errorf("it begins with %q", first)
	}
	agent.Close()
	until(t, person, "\x1b[31mthe agent does not answer\x1b[0m")
	fakeAgent(t, at)
	until(t, person, "\x1b[32mwritable\x1b[0m")
	if c := end(); c != exitDone {
		t.Errorf("exit code %d", c)
	}
	last := until(t, person, leaveScreen)
	if _, left, _ := strings.Cut(last, leaveScreen); !strings.Contains(left, "writable") {
		until(t, person, "writable") // what was seen last stays
	}
}

func TestWatchInAPipe(t *testing.T) {
	person, program, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = person.Close(), program.Close() }()
	end := watched(t, program, fakeAgent(t, netip.MustParseAddrPort("127.0.0.1:0")).Addr())
	got := until(t, person, "\n\n") + until(t, person, "seen by h1")
	if strings.Contains(got, "\x1b") || !strings.Contains(got, "every 100ms") {
		t.Errorf("%q", got)
	}
	if c := end(); c != exitDone {
		t.Errorf("exit code %d", c)
	}
}

func TestWatchAsJSON(t *testing.T) {
	person, program, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = person.Close(), program.Close() }()
	agent := fakeAgent(t, netip.MustParseAddrPort("127.0.0.1:0"))
	end := watched(t, program, agent.Addr(), "-o", "json")
	line, _, _ := strings.Cut(until(t, person, "\n"), "\n")
	var n api.NodeStatus
	if err := json.Unmarshal([]byte(line), &n); err != nil || n.Node != "h1" || len(n.Groups) != 1 {
		t.Errorf("%v in %s", err, line)
	}
	agent.Close()
	until(t, person, `{"version":1,"error":{"fault":"unreachable","text":"status: `)
	if c := end(); c != exitDone {
		t.Errorf("exit code %d", c)
	}
}

func TestWatchEndsWhereWaitingIsOfNoUse(t *testing.T) {
	person, program, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = person.Close(), program.Close() }()
	end := watched(t, program, fakeAgent(t, netip.MustParseAddrPort("127.0.0.1:0")).Addr(), "--group", "carts")
	until(t, person, `h1 has no group "carts"; name one with --group: orders`)
	if c := end(); c != exitUsage {
		t.Errorf("exit code %d", c)
	}
}
