package lab

import (
	"testing"
	"time"

	"redkeep/internal/words"
)

// TestGateModes runs groups whose gate only counts, and has none. Both fail over; neither fence is called hard.
func TestGateModes(t *testing.T) {
	for _, mode := range []string{"watch", "off"} {
		t.Run(mode, func(t *testing.T) {
			s := newSite(t, Plan{Extra: "    gate: " + mode + "\n"})
			w := s.write()
			m := s.awaitReady(10 * time.Second)
			g, err := s.status(m)
			s.must(err)
			t.Logf("gate %s, fence %s: %s", g.GateMode, g.Fence, g.FenceWhy)
			if g.GateMode != mode || g.Fence != words.FenceSoft {
				t.Errorf("status calls the gate %s and the fence %s", g.GateMode, g.Fence)
			}
			time.Sleep(freshCopy)
			_, err = s.redis[m].Kill()
			s.must(err)
			s.mark("server of %s killed", m)
			s.awaitWrites(w, 5*time.Second)
			s.startServer(m)
			s.await(10*time.Second, m+" as a replica", func() bool { return s.linkUp(m) })
			s.nearlyLossless(w, 1)
		})
	}
}
