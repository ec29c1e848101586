package gate

import (
	"bytes"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mdlayher/netlink"
	"github.com/mdlayher/netlink/nltest"
	"golang.org/x/sys/unix"

	"redkeep/internal/stage/cell"
)

// TestDeafWatchDoesNotSpin has a socket fail for good: the tables are looked at with growing pauses, the log says so once, and the watch
// ends when it is told to.
func TestDeafWatchDoesNotSpin(t *testing.T) {
	cell.Open(t)
	var text bytes.Buffer
	h := hand(t, Config{unowned: true, Log: slog.New(slog.NewTextHandler(&text, nil))})
	must(t, h.Set(group, Want{Ports: []uint16{6379}, Mode: Shut}))
	var receives atomic.Int64
	enough := make(chan struct{})
	w := &watch{hand: h, tell: func(d Damage) { t.Errorf("damage: %+v", d) }, stopped: make(chan struct{}), conn: nltest.Dial(func([]netlink.Message) ([]netlink.Message, error) {
		if receives.Add(1) == 5 {
			close(enough)
		}
		return nil, unix.EIO
	})}
	began := time.Now()
	w.start()
	select {
	case <-enough:
	case <-time.After(5 * time.Second):
		t.Fatal("the watch has given up")
	}
	// Before the fifth come pauses of 0, 10, 20 and 40 ms.
	if took := time.Since(began); took < 70*time.Millisecond {
		t.Errorf("five receives in %v", took)
	}
	must(t, w.stop())
	if n := strings.Count(text.String(), "not told any more"); n != 1 {
		t.Errorf("said %d times, want once:\n%s", n, text.String())
	}
}
