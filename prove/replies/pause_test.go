package replies

import (
	"testing"
	"time"
)

// TestPauseHoldsClients of both until its end, and of redkeep sentinel no Sentinel.
func TestPauseHoldsClients(t *testing.T) {
	t.Parallel()
	const long = 300 * time.Millisecond
	for name, s := range map[string]*sentinel{"redis-sentinel": start(t, "redis-sentinel"), "redkeep sentinel": start(t, binary, "sentinel")} {
		client, peer := dial(t, s.conn.RemoteAddr().String(), s.master), dial(t, s.conn.RemoteAddr().String(), s.master)
		since := time.Now()
		if got := s.ask(t, "CLIENT PAUSE 300"); got != "+OK" {
			t.Fatalf("%s: %s", name, got)
		}
		if name != "redis-sentinel" {
			peer.ask(t, "SENTINEL IS-MASTER-DOWN-BY-ADDR 127.0.0.1 $PORT 0 *")
			if took := time.Since(since); took >= long {
				t.Errorf("%s: a Sentinel waits for %v", name, took)
			}
		}
		client.ask(t, "SENTINEL MYID")
		if took := time.Since(since); took < long {
			t.Errorf("%s: a client waits for %v only", name, took)
		}
	}
}
