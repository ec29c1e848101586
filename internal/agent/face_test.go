package agent

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"math"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"redkeep/internal/act/sockets"
	"redkeep/internal/speak/config"
)

// TestClientsLeaveFilesToTheAgent holds the bound of the face's clients against limits of open files.
func TestClientsLeaveFilesToTheAgent(t *testing.T) {
	for files, want := range map[uint64]int{0: 16, 256: 16, 1024: 512, 10_512: 10_000, 524_288: 10_000, math.MaxUint64: 10_000} {
		if got := faceClients(files); got != want {
			t.Errorf("%d files: %d clients, want %d", files, got, want)
		}
	}
}

// TestClientsOfThisHostAskTheLoopback, where it is free; agents that are nodes on the loopback don't take it from each other.
func TestClientsOfThisHostAskTheLoopback(t *testing.T) {
	for _, c := range []struct {
		self, other string
		fails       map[string]error
		want        string
		told, ends  bool
	}{
		{"10.0.0.1", "10.0.0.2", nil, "10.0.0.1:7 127.0.0.1:7 [::1]:7", false, false},
		{"fd00::1", "fd00::2", nil, "[fd00::1]:7 127.0.0.1:7 [::1]:7", false, false},
		{"10.0.0.1", "10.0.0.2", map[string]error{"127.0.0.1:7": unix.EADDRINUSE}, "10.0.0.1:7 127.0.0.1:7 [::1]:7", true, false},
		{"10.0.0.1", "10.0.0.2", map[string]error{"[::1]:7": unix.EADDRNOTAVAIL}, "10.0.0.1:7 127.0.0.1:7 [::1]:7", false, false},
		{"10.0.0.1", "10.0.0.2", map[string]error{"10.0.0.1:7": unix.EADDRINUSE}, "10.0.0.1:7", false, true},
		{"127.0.0.2", "127.0.0.3", nil, "127.0.0.2:7", false, false},
		{"10.0.0.1", "127.0.0.3", nil, "10.0.0.1:7", false, false},
	} {
		var log bytes.Buffer
		self := config.Node{Name: "h1", Addr: netip.MustParseAddr(c.self)}
		nodes := []config.Node{self, {Name: "h2", Addr: netip.MustParseAddr(c.other)}}
		a := &Agent{log: slog.New(slog.NewTextHandler(&log, nil)), opt: Options{Self: self, Config: &config.Config{Nodes: nodes}}}
		var asked []string
		err := a.listenFace(7, func(at netip.AddrPort) error { asked = append(asked, at.String()); return c.fails[at.String()] })
		if (err != nil) != c.ends || err != nil && !errors.Is(err, unix.EADDRINUSE) {
			t.Errorf("%+v: %v", c, err)
		}
		if !slices.Equal(asked, strings.Fields(c.want)) || (log.Len() > 0) != c.told {
			t.Errorf("%+v: %q, %s", c, asked, log.String())
		}
	}
}

// TestASwitchoversEndIsHeardOnAFullLoop: the client that waits for it is held until then.
func TestASwitchoversEndIsHeardOnAFullLoop(t *testing.T) {
	loop, err := sockets.New(sockets.Config{Now: now, Queue: 1})
	if err != nil {
		t.Fatal(err)
	}
	f := &leaseFace{sockets: loop}
	if !loop.Post(func() { /* takes the room */ }) || loop.Post(func() { t.Error("there was room") }) {
		t.Fatal("the loop has room for more than one")
	}
	ctx, end := context.WithTimeout(t.Context(), 10*time.Second)
	defer end()
	heard := false
	f.ask(func() error { return nil }, func(error) { heard = true; end() })
	f.asking.Wait() // it has been left for the loop, or was lost
	if err := f.serve(ctx); err != nil || !heard {
		t.Errorf("heard %v, %v", heard, err)
	}
}
