package agent

import (
	"context"
	"net/netip"

	"golang.org/x/sync/errgroup"

	"redkeep/internal/act/neighbours"
)

// openNeighbours opens the hand that has the kernel ask for silent peers again. Where there is none the agent runs on: a link that has just come
// up may then carry its first beats a second later.
func (a *Agent) openNeighbours() {
	var err error
	if a.neighbours, err = neighbours.Open(a.log); err != nil {
		a.log.Warn("silent peers are asked for in the kernel's own time", "err", err)
	}
}

// startNeighbours starts that hand.
func (a *Agent) startNeighbours(ctx context.Context, work *errgroup.Group) {
	if a.neighbours != nil {
		work.Go(func() error { return a.neighbours.Run(ctx) })
	}
}

// onSilence has the kernel ask once more for a peer that answers nothing.
func (a *Agent) onSilence(peer netip.Addr) {
	if a.neighbours != nil {
		a.neighbours.Again(peer)
	}
}
