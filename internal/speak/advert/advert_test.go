package advert

import (
	"bytes"
	"encoding/hex"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"redkeep/internal/words"
)

func addrs(list ...string) (out []netip.Addr) {
	for _, s := range list {
		out = append(out, netip.MustParseAddr(s))
	}
	return out
}

var (
	router4 = netip.MustParseAddr("10.9.0.1")
	peer4   = netip.MustParseAddr("10.9.0.2")
	router6 = netip.MustParseAddr("fe80::ff:fe00:1")
	plain   = cmp.Options{
		cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
		cmp.Comparer(SameSecret),
	}
)

// captures were taken of keepalived 2.2.7, byte for byte, but for the one without a pseudo-header, which it can not make: that is
// RFC 9568 by hand.
var captures = map[string]struct {
	src, dst netip.Addr
	hex      string
	want     Advert
}{
	"version 2, password of 11 characters": {router4, Group4(), "2133fe01 01015929 0a090064 7265646973313233", Advert{
		Version: 2, VRID: 51, Priority: 254, Interval: time.Second, Addresses: addrs("10.9.0.100"), Auth: Password, Secret: words.NewSecret("redis123456"),
	}},
	"version 2, two addresses": {router4, Group4(), "2134fe02 0001cbea 0a090065 0a090066 0000000000000000", Advert{
		Version: 2, VRID: 52, Priority: 254, Interval: time.Second, Addresses: addrs("10.9.0.101", "10.9.0.102"),
	}},
	"version 3": {router4, Group4(), "3135fe01 0032db8d 0a090067", Advert{
		Version: 3, VRID: 53, Priority: 254, Interval: 500 * time.Millisecond, Addresses: addrs("10.9.0.103"),
	}},
	"version 3, unicast": {router4, peer4, "3138fe01 0032b18f 0a09006a", Advert{
		Version: 3, VRID: 56, Priority: 254, Interval: 500 * time.Millisecond, Addresses: addrs("10.9.0.106"),
	}},
	"version 3 without pseudo-header": {router4, Group4(), "3137fe01 0032c622 0a090069", Advert{
		Version: 3, VRID: 55, Priority: 254, Interval: 500 * time.Millisecond, Addresses: addrs("10.9.0.105"), Checksum: Plain,
	}},
	"IPv6": {router6, Group6(), "3136fe02 0032d5da fe800000000000000000000000000100 fd090000000000000000000000000100", Advert{
		Version: 3, VRID: 54, Priority: 254, Interval: 500 * time.Millisecond, Addresses: addrs("fe80::100", "fd09::100"),
	}},
}

func raw(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestCaptures(t *testing.T) {
	for name, c := range captures {
		b := raw(t, c.hex)
		got, err := Parse(b, c.src, c.dst)
		if diff := cmp.Diff(c.want, got, plain); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", name, err, diff)
		}
		if again := c.want.Append(nil, c.src, c.dst); !bytes.Equal(again, b) {
			t.Errorf("%s: written as\n%x, want\n%x", name, again, b)
		}
	}
}

// mend writes the right checksum into an advertisement.
func mend(b []byte, src, dst netip.Addr) []byte {
	b[6], b[7] = 0, 0
	a := Advert{Version: b[0] >> 4}
	s := ^sum(b, a.initial(src, dst, len(b)))
	b[6], b[7] = byte(s>>8), byte(s)
	return b
}

// TestFlaws breaks one rule of RFC 5798, section 7.1 (RFC 3768, section 7.1) at a time.
func TestFlaws(t *testing.T) {
	two, three, six := captures["version 2, two addresses"], captures["version 3"], captures["IPv6"]
	for name, c := range map[string]struct {
		of     string
		src    netip.Addr
		change func(b []byte) []byte
		want   Flaw
	}{
		"nothing":               {three.hex, router4, func(b []byte) []byte { return nil }, Flaw{TooShort, 0, 8}},
		"head cut off":          {three.hex, router4, func(b []byte) []byte { return b[:7] }, Flaw{TooShort, 7, 8}},
		"version 4":             {three.hex, router4, func(b []byte) []byte { b[0] = 0x41; return b }, Flaw{WrongVersion, 4, 3}},
		"version 2 over IPv6":   {six.hex, router6, func(b []byte) []byte { b[0] = 0x21; return b }, Flaw{WrongVersion, 2, 3}},
		"type 2":                {two.hex, router4, func(b []byte) []byte { b[0] = 0x22; return b }, Flaw{WrongType, 2, 1}},
		"virtual router 0":      {two.hex, router4, func(b []byte) []byte { b[1] = 0; return b }, Flaw{Fault: NoVRID}},
		"no address":            {two.hex, router4, func(b []byte) []byte { b[3] = 0; return b }, Flaw{Fault: NoAddresses}},
		"more than it says":     {two.hex, router4, func(b []byte) []byte { b[3] = 1; return b }, Flaw{WrongLength, 24, 20}},
		"less than it says":     {three.hex, router4, func(b []byte) []byte { b[3] = 2; return b }, Flaw{WrongLength, 12, 16}},
		"without authenticator": {two.hex, router4, func(b []byte) []byte { return b[:16] }, Flaw{WrongLength, 16, 24}},
		"a bit turned":          {three.hex, router4, func(b []byte) []byte { b[2] ^= 1; return b }, Flaw{WrongChecksum, 0xdb8d, 0xda8d}},
		"IPv6, a bit turned":    {six.hex, router6, func(b []byte) []byte { b[2] ^= 1; return b }, Flaw{WrongChecksum, 0xd5da, 0xd4da}},
		"IPsec":                 {two.hex, router4, func(b []byte) []byte { b[4] = 2; return mend(b, router4, Group4()) }, Flaw{Fault: WrongAuth, Got: 2}},
		"interval 0 s":          {two.hex, router4, func(b []byte) []byte { b[5] = 0; return mend(b, router4, Group4()) }, Flaw{Fault: NoInterval}},
		"interval 0 cs": {three.hex, router4, func(b []byte) []byte {
			b[4], b[5] = 0xf0, 0 // The upper four bits are reserved, and ignored.
			return mend(b, router4, Group4())
		}, Flaw{Fault: NoInterval}},
	} {
		dst := Group4()
		if c.src.Is6() {
			dst = Group6()
		}
		_, err := Parse(c.change(raw(t, c.of)), c.src, dst)
		var flaw *Flaw
		if !errors.As(err, &flaw) || *flaw != c.want {
			t.Errorf("%s: %v, want %v", name, err, &c.want)
		}
	}
}

// TestNamesTheSenderOfWhatItRefuses is what a report of a peer with another configuration needs.
func TestNamesTheSenderOfWhatItRefuses(t *testing.T) {
	b := raw(t, captures["version 3"].hex)
	b[7]++
	got, err := Parse(b, router4, Group4())
	if err == nil || got.VRID != 53 || got.Priority != 254 || len(got.Addresses) != 1 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestCutsWhatDoesNotFit(t *testing.T) {
	many := make([]netip.Addr, 300)
	for i := range many {
		many[i] = router4
	}
	long := Advert{Version: 3, VRID: 1, Priority: 1, Interval: time.Minute, Addresses: many}
	got, err := Parse(long.Append(nil, router4, Group4()), router4, Group4())
	if err != nil || len(got.Addresses) != 255 || got.Interval != 40950*time.Millisecond {
		t.Errorf("%d addresses, %v, %v", len(got.Addresses), got.Interval, err)
	}
	slow := Advert{Version: 2, VRID: 1, Priority: 1, Interval: time.Hour, Addresses: addrs("10.9.0.100")}
	if got, err := Parse(slow.Append(nil, router4, Group4()), router4, Group4()); err != nil || got.Interval != 255*time.Second {
		t.Errorf("%v, %v", got.Interval, err)
	}
}

func TestSecretsOfEightBytes(t *testing.T) {
	if !SameSecret(words.NewSecret("12345678"), words.NewSecret("123456789")) || SameSecret(words.NewSecret("1234"), words.NewSecret("12345")) {
		t.Error("not the first eight bytes count")
	}
	a := captures["version 2, password of 11 characters"].want
	b := a.Append(nil, router4, Group4())
	if _, err := Parse(b[:19], router4, Group4()); err == nil || strings.Contains(err.Error(), "redis") {
		t.Errorf("%v", err)
	}
}

func TestAppendAllocatesNothing(t *testing.T) {
	a, buffer := captures["version 2, password of 11 characters"].want, make([]byte, 0, MaxLength)
	if n := testing.AllocsPerRun(100, func() { a.Append(buffer, router4, Group4()) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzParse writes again what it could read, and reads the same.
func FuzzParse(f *testing.F) {
	for _, c := range captures {
		f.Add(raw(f, c.hex), c.src.Is6(), c.dst == peer4)
	}
	f.Fuzz(func(t *testing.T, b []byte, six, unicast bool) {
		src, dst := router4, Group4()
		if six {
			src, dst = router6, Group6()
		} else if unicast {
			dst = peer4
		}
		a, err := Parse(b, src, dst)
		if err != nil {
			var flaw *Flaw
			if !errors.As(err, &flaw) {
				t.Errorf("%x: %v is no Flaw", b, err)
			}
			return
		}
		again, err := Parse(a.Append(nil, src, dst), src, dst)
		if diff := cmp.Diff(a, again, plain); err != nil || diff != "" {
			t.Errorf("%x: %v, %s", b, err, diff)
		}
	})
}
