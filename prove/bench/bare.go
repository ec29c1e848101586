package bench

import (
	"context"
	"errors"
	"time"

	"redkeep/internal/stage"
	"redkeep/internal/stage/wire"
	"redkeep/internal/stage/writer"
)

// bareScript is what can't be beaten: two open connections on a replica's host, one to the master and one to its own
// server, which it promotes when the first one ends. It has no vote, no fence and no safety of any kind.
func bareScript() contender {
	return contender{
		name:   "bare-script",
		about:  "no vote, no safety: when the connection to the master ends, REPLICAOF NO ONE; clients ask every server for its role",
		faults: []string{"kill"},
		enter: func(ctx context.Context, s *site) (keeper, error) {
			b := &bare{site: s}
			return b, b.start(ctx)
		},
	}
}

// bare is the script at work.
type bare struct{ site *site }

// bareLimit is longer than any trial.
const bareLimit = 10 * time.Minute

func (b *bare) start(ctx context.Context) error {
	h := b.site.Hosts()[1]
	master, err := wire.Dial(ctx, h.Dial, b.site.victim().Addr(), askLimit)
	if err != nil {
		return err
	}
	own, err := wire.Dial(ctx, h.Dial, b.site.servers[1].Addr(), askLimit)
	if err != nil {
		master.Close()
		return err
	}
	// It ends with the master's server, which the stage takes away at the latest.
	go func() {
		defer master.Close()
		defer own.Close()
		if _, err := master.Next(bareLimit); err != nil {
			// A promotion that fails shows in the gap.
			_, _ = own.Do(askLimit, "REPLICAOF", "NO", "ONE")
		}
	}()
	return nil
}

func (b *bare) ready(context.Context) bool { return true }

func (b *bare) finder() writer.Finder { return b.site.FindByRole(stage.DefaultPort) }

func (b *bare) switchover(context.Context) error {
	return errors.New("the bare script has no switchover")
}
