package gate

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"redkeep/internal/stage/cell"
	"redkeep/internal/words"
)

// bench opens a gate in a namespace of its own and leaves that again: on a locked thread, as tests have it, the
// scheduler's part would be most of what is measured.
func bench(b *testing.B, cfg Config) *Hand {
	here := cell.Open(b)
	h := hand(b, cfg)
	must(b, h.Set(group, Want{Ports: []uint16{6379}, Mode: Shut}))
	here.Leave()
	return h
}

func BenchmarkArm(b *testing.B) {
	h := bench(b, Config{})
	for i := 0; b.Loop(); i++ {
		must(b, h.Arm(group, i%Slots, time.Second))
	}
}

func BenchmarkActivate(b *testing.B) {
	h := bench(b, Config{})
	for i := 0; b.Loop(); i++ {
		must(b, h.Activate(group, i%Slots))
	}
}

func BenchmarkSet(b *testing.B) {
	h := bench(b, Config{})
	for i := 0; b.Loop(); i++ {
		must(b, h.Set(group, Want{Ports: []uint16{6379}, Mode: []Mode{Shut, Opened}[i%2]}))
	}
}

// The kernel walks all chains and maps when a map changes: what a hundred groups cost one of them.
func BenchmarkActivateAmongHundred(b *testing.B) {
	h := bench(b, Config{})
	for i := range uint16(100) {
		must(b, h.Set(words.Group(fmt.Sprint("group", i)), Want{Ports: []uint16{7000 + i}, Mode: Leased, Slot: int(i % Slots)}))
	}
	for i := 0; b.Loop(); i++ {
		must(b, h.Activate(group, i%Slots))
	}
}

// A group with a port for TLS and two virtual addresses.
func BenchmarkArmAll(b *testing.B) {
	h := bench(b, Config{})
	must(b, h.Set(group, Want{Ports: []uint16{6379, 6380}, Addresses: []netip.Addr{vip4, vip6}, Mode: Shut}))
	for i := 0; b.Loop(); i++ {
		must(b, h.Arm(group, i%Slots, time.Second))
	}
}

func BenchmarkActivateAll(b *testing.B) {
	h := bench(b, Config{})
	must(b, h.Set(group, Want{Ports: []uint16{6379, 6380}, Addresses: []netip.Addr{vip4, vip6}, Mode: Shut}))
	for i := 0; b.Loop(); i++ {
		must(b, h.Activate(group, i%Slots))
	}
}

func BenchmarkArmWatched(b *testing.B) {
	h := bench(b, Config{unowned: true, OnDamage: func(Damage) {}})
	for i := 0; b.Loop(); i++ {
		must(b, h.Arm(group, i%Slots, time.Second))
	}
}

func BenchmarkStates(b *testing.B) {
	h := bench(b, Config{})
	for b.Loop() {
		_, err := h.States()
		must(b, err)
	}
}
