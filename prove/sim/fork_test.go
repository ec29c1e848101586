package sim

import (
	"testing"
	"time"

	"redkeep/internal/decide"
)

// TestSwitchoverToAForkWaits has a, cut off from all but its client, write more than b does in the epoch after it; healed, a is being
// copied when a person asks for a switchover to it. Offsets alone would say that it has everything.
func TestSwitchoverToAForkWaits(t *testing.T) {
	copying := func(w *World) {
		w.timing.syncLow, w.timing.syncHigh = time.Second, 1100*time.Millisecond
		w.net.isolate(0, true, false)
		for at := 1100; at < 3000; at += 50 {
			w.after(ms(at), func() { w.request(b(w), 0, decide.Switchover{To: a(w).name}, nil) })
		}
	}
	p := Plan{Length: 6 * time.Second, NoRest: true, Script: acts(act{300, copying}, act{1700, func(w *World) { w.net.heal() }})}
	sound(t, p)
	p.Data = 2 // a witness compares nothing
	sound(t, p)
}
