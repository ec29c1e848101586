package bench

import (
	"context"
	"errors"
	"fmt"

	"redkeep/internal/stage"
	"redkeep/internal/stage/writer"
)

// bareScript is what can't be beaten: a script on a replica's host that waits on a connection to the master, and
// promotes its own server when that ends. It has no vote, no fence and no safety of any kind.
func bareScript() contender {
	return contender{
		name:   "bare-script",
		about:  "two lines of shell: when the connection to the master ends, REPLICAOF NO ONE; clients ask every server for its role",
		faults: []string{"kill"},
		needs:  map[string]string{"redis-cli": "redis-tools"},
		enter: func(_ context.Context, s *site) (keeper, error) {
			b := &bare{site: s}
			return b, b.start()
		},
	}
}

// bare is the script at work.
type bare struct{ site *site }

func (b *bare) start() error {
	h := b.site.Hosts()[1]
	path, err := script(h, "promote", fmt.Sprintf(
		"redis-cli -h %s -p %[2]d blpop bare-script 0\nexec redis-cli -p %[2]d replicaof no one\n",
		b.site.victim().Host().Addr(), stage.DefaultPort))
	if err != nil {
		return err
	}
	_, err = h.Start(stage.Command{Path: path})
	return err
}

func (b *bare) ready(context.Context) bool { return true }

func (b *bare) finder() writer.Finder { return b.site.FindByRole(stage.DefaultPort) }

func (b *bare) switchover(context.Context) error {
	return errors.New("the bare script has no switchover")
}
