package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/nftables"

	"redkeep/internal/act/gate"
	"redkeep/internal/stage"
	"redkeep/internal/stage/wire"
	"redkeep/internal/words"
)

const (
	tollPairs = 20
	// tollTurns are how often a pair goes back and forth, each time with tollTrips round trips with and without: what the
	// machine does meanwhile lasts longer than a turn, and meets both alike.
	tollTurns, tollTrips = 6, 500
	// tollLease outlasts a turn.
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
	return fmt.Sprintf("the gate's cost: %+.2f us on a round trip of %.1f us (median of %d interleaved pairs of 2 x %d PINGs; quartiles %+.2f and %+.2f us)",
		t.Median, t.Without, t.Pairs, tollTurns*tollTrips, t.Lower, t.Upper)
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
		bare, gated, err := pair(ctx, st, server)
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

// pair returns the median round trips without and with a gate, in microseconds.
func pair(ctx context.Context, st *stage.Stage, server *stage.Redis) (bare, gated float64, err error) {
	// One connection for both halves: where its packets are worked on differs more between two than a gate costs.
	conn, err := wire.Dial(ctx, st.Client().Dial, server.Addr(), time.Second)
	if err != nil {
		return 0, 0, err
	}
	defer conn.Close()
	var without, with []float64
	for range tollTurns {
		times, err := roundTrips(ctx, conn)
		if err != nil {
			return 0, 0, err
		}
		without = append(without, times...)
		if times, err = gatedRoundTrips(ctx, conn, server); err != nil {
			return 0, 0, err
		}
		with = append(with, times...)
	}
	return quantile(without, 0.5), quantile(with, 0.5), nil
}

// roundTrips returns what PINGs took, in microseconds.
func roundTrips(ctx context.Context, conn *wire.Conn) ([]float64, error) {
	times := make([]float64, 0, tollTrips)
	for range tollTrips {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		begun := time.Now()
		if _, err := conn.Do(time.Second, "PING"); err != nil {
			return nil, err
		}
		times = append(times, float64(time.Since(begun))/float64(time.Microsecond))
	}
	return times, nil
}

// gatedRoundTrips is roundTrips through the gate of a master whose lease is held. The gate is taken away whole afterwards.
func gatedRoundTrips(ctx context.Context, conn *wire.Conn, server *stage.Redis) (times []float64, err error) {
	h := server.Host()
	var hand *gate.Hand
	if gone := h.Do(func() { hand, err = hold(ctx, words.Group("toll"), server.Addr().Port()) }); gone != nil || err != nil {
		return nil, errors.Join(gone, err)
	}
	times, err = roundTrips(ctx, conn)
	err = errors.Join(err, hand.Close())
	if gone := h.Do(func() { err = errors.Join(err, removeTable()) }); gone != nil {
		err = errors.Join(err, gone)
	}
	return times, err
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
