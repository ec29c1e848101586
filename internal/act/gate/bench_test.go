package gate

import (
	"fmt"
	"testing"
	"time"

	"github.com/vishvananda/netns"

	"redkeep/internal/words"
)

// bench opens a gate in a namespace of its own and leaves that again: on a locked thread, as tests have it, the
// scheduler's part would be most of what is measured.
func bench(b *testing.B, cfg Config) *Hand {
	before, err := netns.Get()
	must(b, err)
	namespace(b)
	h := hand(b, cfg)
	must(b, h.Set(group, Want{Ports: []uint16{6379}, Mode: Shut}))
	leave(b, before)
	must(b, before.Close())
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

func BenchmarkArmWatched(b *testing.B) {
	h := bench(b, Config{OnDamage: func(Damage) {}})
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

// The cost of the gate for one round trip on the loopback device: the difference of the two.
func BenchmarkRoundTripWithoutGate(b *testing.B) { roundTrip(b, Want{Mode: Absent}) }
func BenchmarkRoundTripWithGate(b *testing.B)    { roundTrip(b, Want{Mode: Leased, Slot: 1}) }

func roundTrip(b *testing.B, want Want) {
	before, err := netns.Get()
	must(b, err)
	namespace(b)
	s := serve(b, "127.0.0.1:0", false)
	if want.Mode != Absent {
		h := hand(b, Config{})
		want.Ports = []uint16{s.port}
		must(b, h.Set(group, want))
		must(b, h.Set("spare", Want{Ports: []uint16{1}, Mode: Shut}))
		must(b, h.Set(group, Want{Ports: want.Ports, Mode: Shut}))
		must(b, h.Arm(group, 1, time.Minute))
		must(b, h.Activate(group, 1))
	}
	c, err := dial(s.ln.Addr().String(), 0)
	must(b, err)
	defer c.Close()
	leave(b, before)
	must(b, before.Close())
	line := []byte("x")
	for b.Loop() {
		if _, err := c.Write(line); err != nil {
			b.Fatal(err)
		}
		if _, err := c.Read(line); err != nil {
			b.Fatal(err)
		}
	}
}
