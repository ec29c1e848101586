package contest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"redkeep/internal/stage/clock"
	"redkeep/internal/stage/tap"
)

// listens is for how many intervals a router listens at its start, and some more.
const listens = 4

// advertLimit bounds the wait for an advertisement.
const advertLimit = 5 * time.Second

// await waits for the moment of the fault. A router that is lost counts as gone some time after its last advertisement: whether that had
// just left or was due would differ more from run to run than the contenders do from each other, so that all are struck at the same
// part of their interval. One that has just been started listens first, and then says more than later.
func (t *Trial) await(ctx context.Context) error {
	pause(ctx, warm+t.Phase+listens*t.Contender.Advertises)
	if t.Contender.Advertises == 0 {
		return ctx.Err()
	}
	at, err := t.advertised()
	if err != nil {
		return err
	}
	part := t.Phase.Seconds() * float64(t.Contender.Advertises)
	pause(ctx, at.Add(time.Duration(part)).Sub(clock.Now()))
	return ctx.Err()
}

// advertised waits for the next advertisement that the second host hears.
func (t *Trial) advertised() (clock.Instant, error) {
	host := t.site.Hosts()[1]
	var ear *tap.Tap
	var err error
	if gone := host.Do(func() { ear, err = tap.Open() }); gone != nil || err != nil {
		return 0, errors.Join(gone, err)
	}
	defer ear.Close()
	limit := time.AfterFunc(advertLimit, ear.Close)
	defer limit.Stop()
	for {
		frame, at, err := ear.Read()
		if err != nil {
			return 0, fmt.Errorf("%s hears no advertisement for %v: %w", host.Name(), advertLimit, err)
		}
		if isAdvert(frame) {
			return at, nil
		}
	}
}

// isAdvert reports whether a frame carries VRRP over IPv4: protocol 112.
func isAdvert(frame []byte) bool {
	const header = 14
	return len(frame) > header+20 && binary.BigEndian.Uint16(frame[12:]) == unix.ETH_P_IP && frame[header+9] == 112
}
