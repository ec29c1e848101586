package ether

import (
	"encoding/hex"
	"net"
	"net/netip"
	"testing"
)

var (
	own  = net.HardwareAddr{2, 0, 10, 77, 0, 8}
	door = net.HardwareAddr{2, 0, 10, 77, 0, 11}
)

// TestBuildAndParse makes each frame and reads it back; the bytes were compared with what tcpdump says of them.
func TestBuildAndParse(t *testing.T) {
	me, vip := netip.MustParseAddr("10.77.0.8"), netip.MustParseAddr("10.77.0.100")
	me6, vip6 := netip.MustParseAddr("fd00:77::8"), netip.MustParseAddr("fd00:77::100")
	for _, c := range []struct {
		name  string
		frame []byte
		want  Kind
		addr  netip.Addr
	}{
		{"question", Ask(own, me, vip), Asks, me},
		{"announcement", Announce(own, vip), Asks, vip},
		{"question by IPv6", Ask(own, me6, vip6), 0, netip.Addr{}},
		{"announcement by IPv6", Announce(own, vip6), Advertises, vip6},
		{"knock", Knock(own, door, netip.AddrPortFrom(me, 4000), netip.AddrPortFrom(vip, 6379), 7), 0, netip.Addr{}},
		{"reset", HangUp(own, door, netip.AddrPortFrom(me, 4000), netip.AddrPortFrom(vip, 6379), 8), Resets, me},
		{"reset by IPv6", HangUp(own, door, netip.AddrPortFrom(me6, 4000), netip.AddrPortFrom(vip6, 6379), 8), Resets, me6},
	} {
		got, ok := Parse(c.frame)
		if ok != (c.want != 0) {
			t.Errorf("%s: read is %v", c.name, ok)
		}
		if ok && (got.Kind != c.want || got.Addr != c.addr || got.MAC().String() != own.String()) {
			t.Errorf("%s: %v claims %v for %v", c.name, got.MAC(), got.Addr, got.Kind)
		}
		for i := range c.frame {
			Parse(c.frame[:i]) // no part of a frame may be read beyond its end
		}
	}
}

// TestChecksums are those of the other end: a sum over a packet with its checksum is all ones.
func TestChecksums(t *testing.T) {
	me6, vip6 := netip.MustParseAddr("fd00:77::8"), netip.MustParseAddr("fd00:77::100")
	f := Ask(own, me6, vip6)
	body := f[headerLength+40:]
	group := netip.AddrFrom16([16]byte(f[headerLength+24:]))
	if got := fold(sum(sum(sum(0, me6.AsSlice()), group.AsSlice())+protocolICMPv6+uint32(len(body)), body)); got != 0xffff {
		t.Errorf("a solicitation's sum is %x: %s", got, hex.EncodeToString(f))
	}
	if group.String() != "ff02::1:ff00:100" || net.HardwareAddr(f[:6]).String() != "33:33:ff:00:01:00" {
		t.Errorf("it goes to %v at %v", group, net.HardwareAddr(f[:6]))
	}
	me, vip := netip.MustParseAddrPort("10.77.0.8:4001"), netip.MustParseAddrPort("10.77.0.100:6379")
	f = Knock(own, door, me, vip, 12345)
	if got := fold(sum(0, f[headerLength:headerLength+20])); got != 0xffff {
		t.Errorf("an IPv4 header's sum is %x", got)
	}
	body = f[headerLength+20:]
	if got := fold(sum(sum(sum(0, me.Addr().AsSlice()), vip.Addr().AsSlice())+protocolTCP+20, body)); got != 0xffff {
		t.Errorf("a segment's sum is %x", got)
	}
}

func FuzzParse(f *testing.F) {
	vip6 := netip.MustParseAddr("fd00:77::100")
	f.Add(Announce(own, vip6))
	f.Add(Announce(own, netip.MustParseAddr("10.77.0.100")))
	f.Add(HangUp(own, door, netip.AddrPortFrom(vip6, 1), netip.AddrPortFrom(vip6, 2), 3))
	f.Fuzz(func(t *testing.T, frame []byte) {
		if c, ok := Parse(frame); ok && (!c.Addr.IsValid() || c.Kind.String() == "says nothing") {
			t.Errorf("%x is read as %+v", frame, c)
		}
	})
}
