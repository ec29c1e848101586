package reception

import (
	"context"
	"io"
	"net/netip"
	"testing"
	"time"

	"redkeep/internal/act/sockets"
	"redkeep/internal/show/sentinel"
	"redkeep/internal/words"
)

// TestWhoIsRefusedIsTold, and is no client: nothing is read of what it sends.
func TestWhoIsRefusedIsTold(t *testing.T) {
	loop, err := sockets.New(sockets.Config{Now: func() words.Instant { return words.Instant(time.Since(start)) + 1 }})
	if err != nil {
		t.Fatal(err)
	}
	_, face := sentinel.NewLease(sentinel.LeaseConfig{}, 0)
	ln, err := Listen(loop, netip.MustParseAddrPort("127.0.0.1:0"), face, Options{Refuse: func(from netip.Addr) string {
		if !from.IsLoopback() {
			t.Errorf("it comes from %v", from)
		}
		return "DENIED go away"
	}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- loop.Run(ctx) }()
	defer func() { cancel(); <-ended }()
	c := dial(t, ln.Addr().String())
	hear(t, c, "-DENIED go away\r\n")
	if n, err := c.Read(make([]byte, 1)); n != 0 || err != io.EOF { //nolint:errorlint // as the connection gives it
		t.Errorf("%d bytes more, %v", n, err)
	}
}
