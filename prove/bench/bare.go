package bench

import (
	"context"
	"errors"
	"time"

	"redkeep/internal/stage"
	"redkeep/internal/stage/contest"
	"redkeep/internal/stage/wire"
	"redkeep/internal/stage/writer"
)

// bareScript is what can't be beaten: two open connections on a replica's host, one to the master and one to its own
// server, which it promotes when the first one ends. It has no vote, no fence and no safety of any kind.
func bareScript() contest.Contender {
	return contest.Contender{
		Name:   "bare-script",
		About:  "no vote, no safety: when the connection to the master ends, REPLICAOF NO ONE; clients ask every server for its role",
		Faults: []string{"kill"},
		Enter: func(ctx context.Context, s *contest.Site) (contest.Keeper, error) {
			b := &bare{site: s}
			return b, b.start(ctx)
		},
	}
}

// bare is the script at work.
type bare struct{ site *contest.Site }

const (
	// bareLimit is longer than any trial.
	bareLimit = 10 * time.Minute
	// askLimit bounds one question to a server.
	askLimit = 300 * time.Millisecond
)

func (b *bare) start(ctx context.Context) error {
	h := b.site.Hosts()[1]
	master, err := wire.Dial(ctx, h.Dial, b.site.Victim().Addr(), askLimit)
	if err != nil {
		return err
	}
	own, err := wire.Dial(ctx, h.Dial, b.site.Servers[1].Addr(), askLimit)
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

func (b *bare) Ready(context.Context) bool { return true }

func (b *bare) Finder() writer.Finder { return b.site.FindByRole(stage.DefaultPort) }

func (b *bare) Switchover(context.Context) error {
	return errors.New("the bare script has no switchover")
}
