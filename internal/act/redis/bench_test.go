package redis

import (
	"context"
	"testing"

	"redkeep/internal/words"
)

// benchmark runs one round of orders at a real server again and again, on one connection.
func benchmark(b *testing.B, prepare, measured func(context.Context, *Hand) (words.Server, error)) {
	s := startServer(b)
	h := New(Config{Addr: s.addr()})
	defer h.dropOrders()
	ctx := context.Background()
	for b.Loop() {
		b.StopTimer()
		if _, err := prepare(ctx, h); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		if _, err := measured(ctx, h); err != nil {
			b.Fatal(err)
		}
	}
}

func follow(ctx context.Context, h *Hand) (words.Server, error) {
	return h.Follow(ctx, "", "127.0.0.1", 2)
}

func promote(ctx context.Context, h *Hand) (words.Server, error) { return h.Promote(ctx, "") }

// BenchmarkSeal seals a replica whose link is down already.
func BenchmarkSeal(b *testing.B) {
	benchmark(b, follow, func(ctx context.Context, h *Hand) (words.Server, error) { return h.Seal(ctx, "", 0) })
}

// BenchmarkPromote promotes a sealed replica.
func BenchmarkPromote(b *testing.B) {
	benchmark(b, func(ctx context.Context, h *Hand) (words.Server, error) { return h.Demote(ctx, "") }, promote)
}

// BenchmarkFollow points a master at another.
func BenchmarkFollow(b *testing.B) { benchmark(b, promote, follow) }

// BenchmarkFencedConnection opens a connection for orders, with all that belongs to it.
func BenchmarkFencedConnection(b *testing.B) {
	benchmark(b, func(_ context.Context, h *Hand) (words.Server, error) {
		h.dropOrders()
		return words.Server{}, nil
	}, func(ctx context.Context, h *Hand) (words.Server, error) { return h.Look(ctx) })
}
