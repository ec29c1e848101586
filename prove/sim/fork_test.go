package sim

import (
	"testing"
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/words"
	"redkeep/prove/judge"
)

// TestSwitchoverToAForkWaits has a, cut off from all but its client, write more than b does in the epoch after it; healed, a is being
// copied when a person asks for a switchover to it. Offsets alone would say that it has everything.
func TestSwitchoverToAForkWaits(t *testing.T) {
	p := Plan{Length: 6 * time.Second, NoRest: true, Script: switchToAFork}
	sound(t, p)
	p.Data = 2 // a witness compares nothing
	sound(t, p)
}

func switchToAFork(w *World) {
	acts(act{300, func(w *World) {
		w.timing.syncLow, w.timing.syncHigh = time.Second, 1100*time.Millisecond
		w.net.isolate(0, true, false)
		w.timing.dial = ms(500)
		for at := 1100; at < 3000; at += 20 {
			w.after(ms(at), func() { w.request(b(w), 0, decide.Switchover{To: a(w).name}, nil) })
		}
	}}, act{1700, func(w *World) { w.net.heal() }})(w)
}

// TestALapsedMasterIsDemoted isolates a, whose server stays a master behind the shut gate for a lease; then another program's flush opens
// nothing, however long it stays. Healed, a has lost nothing that it could have kept.
func TestALapsedMasterIsDemoted(t *testing.T) {
	sound(t, Plan{Length: 12 * time.Second, Script: acts(
		act{0, func(w *World) { w.net.isolate(0, true, false) }},
		act{2500, func(w *World) {
			if s := a(w).server(); s.role != words.RoleReplica || s.follow != deadEnd || len(s.data) == 0 {
				w.find(0, judge.NeverTwo, "%s is a %v still, of %d writes", s, s.role, len(s.data))
			}
			w.flush(a(w).gates[0])
		}},
		act{5000, func(w *World) { w.net.heal() }},
		act{11000, (*World).serves},
	)})
}
