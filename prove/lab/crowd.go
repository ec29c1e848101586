package lab

import (
	"context"
	"sync"
	"time"

	"redkeep/internal/stage/wire"
)

// crowd is many clients of one server, each with a new connection for each command, as web applications have them. They
// know no Sentinel and no second address: what one of them is refused, a user has noticed.
type crowd struct {
	cancel context.CancelFunc
	work   sync.WaitGroup

	mu     sync.Mutex // guards all below
	served int
	failed []string
}

// crowdPause is between two connections of one client: some 300 connections a second each.
const crowdPause = 3 * time.Millisecond

// crowd starts clients of the host's server that say one command again and again.
func (s *Site) crowd(h string, clients int, command ...string) *crowd {
	ctx, cancel := context.WithCancel(context.Background())
	c := &crowd{cancel: cancel}
	for range clients {
		c.work.Go(func() { // ends at stop
			for ctx.Err() == nil {
				c.note(ctx, s.visit(ctx, h, command))
				select {
				case <-time.After(crowdPause):
				case <-ctx.Done():
				}
			}
		})
	}
	s.t.Cleanup(func() { c.stop() })
	return c
}

// visit connects, says the command once, and leaves.
func (s *Site) visit(ctx context.Context, h string, command []string) error {
	conn, err := wire.Dial(ctx, s.Client().Dial, s.redis[h].Addr(), time.Second)
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = conn.Do(time.Second, command...)
	return err
}

func (c *crowd) note(ctx context.Context, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case err == nil:
		c.served++
	case ctx.Err() == nil:
		c.failed = append(c.failed, time.Now().UTC().Format("15:04:05.000 ")+err.Error())
	}
}

// stop ends the clients, and returns how many times they were served and what they were told when they were not.
func (c *crowd) stop() (served int, failed []string) {
	c.cancel()
	c.work.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.served, c.failed
}
