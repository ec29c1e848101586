package peer

import (
	"log/slog"
	"net/netip"
	"sync"
	"time"
)

const (
	// complaintPause is how long an address is passed over in silence after it was complained of.
	complaintPause = time.Second
	// complaintAddresses bounds how many addresses are remembered. Beyond it, new ones are not logged until a second
	// has passed: who forges a thousand sources must not fill the log either.
	complaintAddresses = 256
)

// complaints logs what goes wrong, at most once a second for each address.
type complaints struct {
	log *slog.Logger

	mu   sync.Mutex // guards last
	last map[netip.Addr]time.Time
}

func newComplaints(log *slog.Logger) *complaints {
	return &complaints{log: log, last: make(map[netip.Addr]time.Time)}
}

func (c *complaints) complain(about netip.Addr, event string, err error, fields ...any) {
	if c.due(about, time.Now()) {
		c.log.Warn(event, append([]any{"address", about, "error", err}, fields...)...)
	}
}

// due reports whether the address may be complained of now, and remembers that it was.
func (c *complaints) due(about netip.Addr, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if last, ok := c.last[about]; ok && now.Sub(last) < complaintPause {
		return false
	}
	if len(c.last) >= complaintAddresses {
		for addr, last := range c.last {
			if now.Sub(last) >= complaintPause {
				delete(c.last, addr)
			}
		}
		if len(c.last) >= complaintAddresses {
			return false
		}
	}
	c.last[about] = now
	return true
}
