package gate

import (
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"redkeep/internal/stage/cell"
)

// BenchmarkToll measures what the gate of a held lease adds to a round trip from another host, in pairs of runs with and
// without it. One thread is client and server: the kernel carries each packet to the other side before a write returns, so
// that no turn of the scheduler is measured, and what is left is the work.
func BenchmarkToll(b *testing.B) {
	there := neighbour(b, cell.Open(b))
	client, server := ends(b, there)
	const trips = 1000
	run := func() float64 {
		times := make([]time.Duration, trips)
		var answer [8]byte
		for i := range times {
			begun := time.Now()
			_, err := unix.Write(client, []byte("PING\r\n"))
			must(b, err)
			must(b, interrupted(func() error { _, err := unix.Read(server, answer[:]); return err }))
			_, err = unix.Write(server, []byte("+PONG\r\n"))
			must(b, err)
			must(b, interrupted(func() error { _, err := unix.Read(client, answer[:]); return err }))
			times[i] = time.Since(begun)
		}
		slices.Sort(times)
		return float64(times[trips/2])
	}
	var bare, added []float64
	for b.Loop() {
		before := run()
		h, err := Open(b.Context(), Config{})
		must(b, err)
		must(b, h.Set(group, Want{Ports: []uint16{6379}, Mode: Shut}))
		must(b, h.Arm(group, 1, time.Minute))
		must(b, h.Activate(group, 1))
		gated := run()
		must(b, h.Remove(group))
		_, err = h.Withdraw()
		must(b, err)
		must(b, h.Close())
		without := (before + run()) / 2
		bare, added = append(bare, without), append(added, gated-without)
	}
	slices.Sort(bare)
	slices.Sort(added)
	b.ReportMetric(bare[len(bare)/2], "ns/trip")
	b.ReportMetric(added[len(added)/2], "added-ns/trip")
}

// ends connects two sockets, the first of them there.
func ends(b *testing.B, there func(func())) (client, server int) {
	listener, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	must(b, err)
	must(b, unix.Bind(listener, &unix.SockaddrInet4{Port: 6379}))
	must(b, unix.Listen(listener, 1))
	there(func() {
		client, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		must(b, err)
		must(b, unix.Connect(client, &unix.SockaddrInet4{Port: 6379, Addr: [4]byte{10, 52, 0, 1}}))
	})
	server, _, err = unix.Accept4(listener, unix.SOCK_CLOEXEC)
	must(b, err)
	for _, fd := range []int{client, server} {
		must(b, unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1))
		must(b, unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 5}))
	}
	b.Cleanup(func() {
		for _, fd := range []int{client, server, listener} {
			must(b, unix.Close(fd))
		}
	})
	return client, server
}
