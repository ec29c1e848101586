package sentinel

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// TestRepeatedRequests holds pipelines with many repetitions against the same requests that come one by one, where none is
// a repetition: the same replies, and the same counts.
func TestRepeatedRequests(t *testing.T) {
	lines := []string{
		"PING", "PING x", "PING x y", "SENTINEL get-master-addr-by-name orders", "sentinel GET-MASTER-ADDR-BY-NAME orders",
		"SENTINEL get-master-addr-by-name nobody", "SENTINEL get-master-addr-by-name", "", "\r\nPING",
		"*1\r\n$4\r\nPING", "*3\r\n$8\r\nSENTINEL\r\n$23\r\nget-master-addr-by-name\r\n$6\r\norders", "*2\r\n$4\r\nPING\r\n$7\r\norders\n",
		"CLIENT REPLY SKIP", "CLIENT REPLY OFF", "CLIENT REPLY ON", "HELLO 3", "HELLO 2", "SUBSCRIBE +sdown", "UNSUBSCRIBE",
		"ACL SETUSER default -ping", "ACL SETUSER default +ping", "nonsense", "CLIENT ID",
	}
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 7))
		var requests []string
		for range 30 {
			line := lines[random.IntN(len(lines))] + "\r\n"
			for range 1 + random.IntN(5) {
				requests = append(requests, line)
			}
		}
		told, counted := heardOf(t, strings.Join(requests, ""))
		want, wantCounted := heardOf(t, requests...)
		if told != want {
			t.Fatalf("seed %d: %q is answered\n%q, one by one\n%q", seed, requests, told, want)
		}
		if counted.requests != wantCounted.requests || counted.errors != wantCounted.errors || counted.in != wantCounted.in || counted.out != wantCounted.out {
			t.Fatalf("seed %d: %q counts as %+v, one by one as %+v", seed, requests, counted, wantCounted)
		}
	}
}

// TestManyRepetitions are sent in bounded parts, as are others.
func TestManyRepetitions(t *testing.T) {
	_, f := quiet(t)
	mouth := &ear{}
	c := f.Open(mouth)
	wire := []byte(strings.Repeat("SENTINEL get-master-addr-by-name orders\r\n", 10_000))
	used := c.Receive(wire)
	if sent := len(mouth.heard); sent < enough || sent > enough+2*gathered {
		t.Errorf("%d bytes were sent at once", sent)
	}
	if parts := len(mouth.heard) / mouth.sends; parts > gathered+100 {
		t.Errorf("a part has %d bytes", parts)
	}
	for used < len(wire) {
		used += c.Receive(wire[used:])
	}
	if n := strings.Count(mouth.take(), "*2\r\n"); n != 10_000 || f.counts.requests != 10_000 {
		t.Errorf("%d replies, %d requests counted", n, f.counts.requests)
	}
}

// heardOf is what a client hears that sends these, each at once, and what has been counted then.
func heardOf(t *testing.T, parts ...string) (string, counts) {
	t.Helper()
	_, f := quiet(t)
	mouth := &ear{}
	c := f.Open(mouth)
	for _, part := range parts {
		for left := []byte(part); len(left) > 0; {
			used := c.Receive(left)
			if used == 0 {
				t.Fatalf("%q is not used", left)
			}
			left = left[used:]
		}
	}
	return mouth.take(), f.counts
}
