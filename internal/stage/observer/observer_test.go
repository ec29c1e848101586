package observer

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"redkeep/internal/stage"
	"redkeep/internal/stage/clock"
	"redkeep/internal/stage/ether"
	"redkeep/internal/stage/need"
	"redkeep/internal/stage/writer"
)

// TestMain runs the tests as root, or as an ordinary user in a user namespace, as the demo does.
func TestMain(m *testing.M) {
	inside, code, err := stage.Enter(os.Args[1:])
	var forbidden *stage.Forbidden
	switch {
	case errors.As(err, &forbidden):
		fmt.Fprintln(os.Stderr, err) // each test skips with the same error
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	case !inside:
		os.Exit(code)
	}
	code = m.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// await polls what nothing announces.
func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	limit := time.NewTimer(5 * time.Second)
	defer limit.Stop()
	again := time.NewTicker(time.Millisecond)
	defer again.Stop()
	for !ok() {
		select {
		case <-again.C:
		case <-limit.C:
			t.Fatalf("no %s within 5 s", what)
		}
	}
}

// scene is two hosts with a server each, an address on the first, and whoever looks at it.
type scene struct {
	*stage.Stage
	t      *testing.T
	vip    netip.Prefix
	watch  *Observer
	stalls *clock.Watcher
}

func open(t *testing.T, vip netip.Addr) *scene {
	t.Helper()
	if _, err := stage.FindRedis(); err != nil {
		need.Program(t, err)
	}
	st, err := stage.New(t.Context(), stage.Options{Hosts: []string{"h1", "h2"}, Guests: []string{"observer"}, Dir: t.TempDir()})
	var forbidden *stage.Forbidden
	if errors.As(err, &forbidden) {
		need.Right(t, err)
	}
	must(t, err)
	t.Cleanup(func() { must(t, st.Close()) })
	if vip.Is6() && !st.Client().Addr6().IsValid() {
		t.Skip("this machine has no IPv6")
	}
	s := &scene{Stage: st, t: t, vip: netip.PrefixFrom(vip, vip.BitLen())}
	for _, h := range st.Hosts() {
		_, err := h.StartRedis(t.Context(), stage.RedisConfig{})
		must(t, err)
	}
	s.give("h1")
	s.stalls, err = clock.Watch()
	must(t, err)
	t.Cleanup(func() { s.stalls.Stop() })
	s.watch, err = Watch(Options{Stage: st, Host: st.Host("observer"), Addresses: []netip.Addr{vip}, Port: stage.DefaultPort, Interval: 2 * time.Millisecond})
	must(t, err)
	t.Cleanup(func() {
		if _, err := s.watch.Stop(); err != nil {
			t.Error(err)
		}
	})
	s.seen("h1", 0)
	return s
}

// give adds the address to a host, which tells all.
func (s *scene) give(host string) {
	s.t.Helper()
	must(s.t, s.Host(host).AddAddress(s.vip))
	must(s.t, s.Host(host).Announce(s.vip.Addr()))
}

// seen waits until a host has answered, by name and by its server, after an instant, and for a while.
func (s *scene) seen(host string, after clock.Instant) {
	s.t.Helper()
	for _, kinds := range [][]ether.Kind{{ether.Replies, ether.Advertises}, Served} {
		await(s.t, "answer of "+host, func() bool {
			_, ok := s.watch.First(host, s.vip.Addr(), after, kinds...)
			return ok
		})
	}
}

// addresses are those of both families.
var addresses = []netip.Addr{stage.VIP, stage.VIP6}

func TestAMoveIsSeenAsOne(t *testing.T) {
	for _, vip := range addresses {
		t.Run(vip.String(), func(t *testing.T) {
			s := open(t, vip)
			cache, err := Remember(s.Stage, s.Client(), vip)
			must(t, err)
			defer cache.Stop()
			await(t, "memory of h1", func() bool { return cache.Now() == "h1" })
			must(t, s.Host("h1").RemoveAddress(s.vip))
			moved := clock.Now()
			s.give("h2")
			s.seen("h2", moved)
			await(t, "memory of h2", func() bool { return cache.Now() == "h2" })
			learned, _ := cache.Learned("h2")
			first, _ := s.watch.First("h2", vip, moved, Served...)
			t.Logf("h2 served after %v, the client's cache knew after %v, worst stall %v",
				first.Sub(moved), learned.Sub(moved), s.stalls.Worst(moved, clock.Now()))
			for name, kinds := range map[string][]ether.Kind{"by name": Named, "by service": Served} {
				if two := s.watch.TwoAnswer(vip, 0, kinds...); two != 0 {
					t.Errorf("%s two hosts answered for %v", name, two)
				}
			}
			if learned.Sub(moved) > 50*time.Millisecond+s.stalls.Worst(moved, clock.Now()) {
				t.Errorf("the client's cache knew after %v", learned.Sub(moved))
			}
		})
	}
}

func TestTwoHoldersAreSeen(t *testing.T) {
	const both = 100 * time.Millisecond
	for _, vip := range addresses {
		t.Run(vip.String(), func(t *testing.T) {
			s := open(t, vip)
			begun := clock.Now()
			must(t, s.Host("h2").AddAddress(s.vip)) // it tells nobody
			pacer, err := clock.NewPacer()
			must(t, err)
			defer pacer.Close()
			must(t, pacer.Wait(begun.Add(both)))
			must(t, s.Host("h1").RemoveAddress(s.vip))
			ended := clock.Now()
			for name, kinds := range map[string][]ether.Kind{"by name": Named, "by service": Served} {
				two := s.watch.TwoAnswer(vip, 0, kinds...)
				t.Logf("%s two hosts answered for %v of %v", name, two, ended.Sub(begun))
				if two > ended.Sub(begun) || two < both/2-s.stalls.Worst(begun, ended) {
					t.Errorf("%s two hosts answered for %v of %v", name, two, ended.Sub(begun))
				}
			}
		})
	}
}

func TestApplicationFollowsTheAddress(t *testing.T) {
	for _, vip := range addresses {
		t.Run(vip.String(), func(t *testing.T) {
			s := open(t, vip)
			by := func(w *writer.Writer, host string) int {
				count := 0
				for _, write := range w.Writes() {
					if write.OK() && write.Node == s.Host(host).Port(stage.DefaultPort) {
						count++
					}
				}
				return count
			}
			w, err := s.WriteFixed(t.Context(), netip.AddrPortFrom(vip, stage.DefaultPort), writer.Options{Interval: time.Millisecond, RequestTimeout: 20 * time.Millisecond})
			must(t, err)
			defer w.Stop()
			await(t, "100 writes by h1", func() bool { return by(w, "h1") >= 100 })
			moved := clock.Now()
			must(t, s.Host("h1").RemoveAddress(s.vip))
			s.give("h2")
			await(t, "100 writes by h2", func() bool { return by(w, "h2") >= 100 })
			gap := writer.Longest(w.Stop(), moved, clock.Now())
			t.Logf("the gap is %v, the worst stall %v", gap.Length(), s.stalls.Worst(moved, gap.To))
			// One request and one dial may wait for an answer that does not come.
			if gap.Length() > 100*time.Millisecond+s.stalls.Worst(moved, gap.To) {
				t.Errorf("the gap is %v", gap.Length())
			}
		})
	}
}

func TestBlockedClientsAreCounted(t *testing.T) {
	s := open(t, stage.VIP)
	const clients = 20
	b, err := Block(t.Context(), s.Client(), netip.AddrPortFrom(stage.VIP, stage.DefaultPort), clients)
	must(t, err)
	defer b.Stop()
	if b.Left() != clients {
		t.Errorf("%d of %d wait: %v", b.Left(), clients, b.Ends())
	}
	killed := clock.Now()
	for _, p := range s.Host("h1").Processes() {
		_, err := p.Kill()
		must(t, err)
	}
	await(t, "end of all", func() bool { return b.Left() == 0 })
	commands := map[string]int{}
	for _, end := range b.Stop() {
		commands[end.Command]++
		if end.At < killed || end.Err == nil {
			t.Errorf("one ended %v after the fault: %v", end.At.Sub(killed), end.Err)
		}
	}
	if commands["BLPOP"] != clients/2 || commands["SUBSCRIBE"] != clients/2 {
		t.Errorf("ended: %v", commands)
	}
}

func TestStretchesEndWithSilence(t *testing.T) {
	const ms = clock.Instant(time.Millisecond)
	claim := func(by string, at ...clock.Instant) []Claim {
		var all []Claim
		for _, a := range at {
			all = append(all, Claim{At: a * ms, By: by, Addr: stage.VIP, Kind: ether.Replies})
		}
		return all
	}
	for _, c := range []struct {
		name   string
		claims []Claim
		want   time.Duration
	}{
		{"one after the other", append(claim("a", 0, 5, 10), claim("b", 12, 17)...), 0},
		{"at the same time", append(claim("a", 0, 5, 10, 15, 20), claim("b", 5, 10, 15)...), 10 * time.Millisecond},
		{"one answer within", append(claim("a", 0, 5, 10, 15), claim("b", 7)...), time.Millisecond},
		{"in a silence", append(claim("a", 0, 5, 40, 45), claim("b", 10, 15, 20)...), 0},
		{"another address", append(claim("a", 0, 5, 10), Claim{At: 5 * ms, By: "b", Addr: stage.VIP6, Kind: ether.Replies}), 0},
		{"another kind", append(claim("a", 0, 5, 10), Claim{At: 5 * ms, By: "b", Addr: stage.VIP, Kind: ether.Resets}), 0},
	} {
		if got := twoAnswer(stretches(c.claims, stage.VIP, 20*time.Millisecond, Named)); got != c.want {
			t.Errorf("%s: %v; want %v", c.name, got, c.want)
		}
	}
}
