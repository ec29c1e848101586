package bench

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/google/nftables"

	"redkeep/internal/act/gate"
	"redkeep/internal/stage"
	"redkeep/internal/stage/wire"
	"redkeep/internal/words"
)

const (
	tollPairs = 20
	// tollTrips are the round trips of one half of a pair, some 150 ms.
	tollTrips = 3000
	// tollLease outlasts one half.
	tollLease = time.Minute
)

// Toll is what the gate adds to a round trip between two hosts, in microseconds.
type Toll struct {
	Pairs int `json:"pairs"`
	// Without is the median round trip without a gate.
	Without float64 `json:"without_us"`
	// Lower, Median and Upper are the quartiles of what a pair's second half took longer.
	Lower  float64 `json:"added_lower_us"`
	Median float64 `json:"added_median_us"`
	Upper  float64 `json:"added_upper_us"`
}

// String says it in a line.
func (t *Toll) String() string {
	return fmt.Sprintf("the gate's cost: %+.2f us on a round trip of %.1f us (median of %d interleaved pairs of %d PINGs; quartiles %+.2f and %+.2f us)",
		t.Median, t.Without, t.Pairs, tollTrips, t.Lower, t.Upper)
}

// measureToll pings a server on another host with and without the gate of a lease that is held, in turn.
func measureToll(ctx context.Context) (toll *Toll, err error) {
	st, err := stage.New(ctx, stage.Options{Hosts: []string{"h1"}})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	server, err := st.Host("h1").StartRedis(ctx, stage.RedisConfig{})
	if err != nil {
		return nil, err
	}
	var without, added []float64
	for range tollPairs {
		bare, err := roundTrip(ctx, st, server.Addr())
		if err != nil {
			return nil, err
		}
		gated, err := gatedRoundTrip(ctx, st, server)
		if err != nil {
			return nil, err
		}
		without, added = append(without, bare), append(added, gated-bare)
	}
	return &Toll{
		Pairs: tollPairs, Without: quantile(without, 0.5),
		Lower: quantile(added, 0.25), Median: quantile(added, 0.5), Upper: quantile(added, 0.75),
	}, nil
}

// roundTrip returns the median of a PING's time in microseconds.
func roundTrip(ctx context.Context, st *stage.Stage, server netip.AddrPort) (float64, error) {
	conn, err := wire.Dial(ctx, st.Client().Dial, server, time.Second)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	times := make([]int64, 0, tollTrips)
	for range tollTrips {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		begun := time.Now()
		if _, err := conn.Do(time.Second, "PING"); err != nil {
			return 0, err
		}
		times = append(times, int64(time.Since(begun)))
	}
	return float64(quantile(times, 0.5)) / float64(time.Microsecond), nil
}

// gatedRoundTrip is roundTrip through the gate of a master whose lease is held. The gate is taken away whole afterwards.
func gatedRoundTrip(ctx context.Context, st *stage.Stage, server *stage.Redis) (trip float64, err error) {
	h := server.Host()
	var hand *gate.Hand
	if gone := h.Do(func() { hand, err = hold(ctx, words.Group(group), server.Addr().Port()) }); gone != nil || err != nil {
		return 0, errors.Join(gone, err)
	}
	trip, err = roundTrip(ctx, st, server.Addr())
	err = errors.Join(err, hand.Close())
	if gone := h.Do(func() { err = errors.Join(err, removeTable()) }); gone != nil {
		err = errors.Join(err, gone)
	}
	return trip, err
}

// hold opens a gate and arms and activates a slot, as an agent does with a lease.
func hold(ctx context.Context, g words.Group, port uint16) (*gate.Hand, error) {
	hand, err := gate.Open(ctx, gate.Config{})
	if err != nil {
		return nil, err
	}
	err = hand.Set(g, gate.Want{Ports: []uint16{port}, Mode: gate.Shut})
	if err == nil {
		err = hand.Arm(g, 0, tollLease)
	}
	if err == nil {
		err = hand.Activate(g, 0)
	}
	if err != nil {
		return nil, errors.Join(err, hand.Close())
	}
	return hand, nil
}

// removeTable takes the gate's table away, which the hand leaves.
func removeTable() error {
	conn, err := nftables.New()
	if err != nil {
		return fmt.Errorf("remove gate: %w", err)
	}
	conn.DelTable(&nftables.Table{Family: nftables.TableFamilyINet, Name: "redkeep"})
	if err := conn.Flush(); err != nil {
		return fmt.Errorf("remove gate: %w", err)
	}
	return nil
}
