package sentinel

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// TestSentinelsFindAPlace where clients have all that there are.
func TestSentinelsFindAPlace(t *testing.T) {
	r := runs(t, "maxclients 1", "sentinel monitor orders 127.0.0.1 1 1", "sentinel known-sentinel orders 127.0.0.2 1 "+strings.Repeat("b", 40))
	dialer := net.Dialer{Timeout: 10 * time.Second}
	asks := func(from string) string {
		dialer.LocalAddr = &net.TCPAddr{IP: net.ParseIP(from)}
		c, err := dialer.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", r.port))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		_ = c.SetDeadline(time.Now().Add(10 * time.Second))
		_, _ = io.WriteString(c, "PING\r\n")
		answer := make([]byte, 7)
		_, _ = io.ReadFull(c, answer)
		return string(answer)
	}
	for _, c := range []struct{ from, want string }{{"127.0.0.1", "+PONG\r\n"}, {"127.0.0.1", "-ERR ma"}, {"127.0.0.2", "+PONG\r\n"}} {
		if got := asks(c.from); got != c.want {
			t.Errorf("from %s: %q", c.from, got)
		}
	}
}
