package neighbour

import (
	"bytes"
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var (
	four100 = netip.MustParseAddr("10.77.0.100")
	six100  = netip.MustParseAddr("fd77::100")
	here    = MAC{0x02, 0x42, 0x0a, 0x4d, 0x00, 0x0c}
	there   = MAC{0x02, 0x42, 0x0a, 0x4d, 0x00, 0x0d}
	plain   = cmp.Comparer(func(a, b netip.Addr) bool { return a == b })
)

// frames are what leaves, byte for byte, as the RFCs draw it.
var frames = map[string]struct {
	frame []byte
	want  string
}{
	"ARP announcement": {Announcement(four100, here), `
		ffffffffffff 02420a4d000c 0806
		0001 0800 06 04 0001  02420a4d000c 0a4d0064  000000000000 0a4d0064`},
	"ARP probe": {Probe(four100, here), `
		ffffffffffff 02420a4d000c 0806
		0001 0800 06 04 0001  02420a4d000c 00000000  000000000000 0a4d0064`},
	"unsolicited advertisement": {Announcement(six100, here), `
		333300000001 02420a4d000c 86dd
		60000000 0020 3a ff  fd770000000000000000000000000100  ff020000000000000000000000000001
		88 00 4d15 20000000 fd770000000000000000000000000100  02 01 02420a4d000c`},
	"solicitation that only asks": {Probe(six100, here), `
		3333ff000100 02420a4d000c 86dd
		60000000 0018 3a ff  00000000000000000000000000000000  ff0200000000000000000001ff000100
		87 00 7b30 00000000 fd770000000000000000000000000100`},
}

func TestFrames(t *testing.T) {
	for name, f := range frames {
		want, err := hex.DecodeString(strings.Join(strings.Fields(f.want), ""))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(f.frame, want) {
			t.Errorf("%s:\n%x, want\n%x", name, f.frame, want)
		}
	}
}

func TestMappedAddressIsIPv4(t *testing.T) {
	mapped := netip.MustParseAddr("::ffff:10.77.0.100")
	if !bytes.Equal(Announcement(mapped, here), Announcement(four100, here)) || !bytes.Equal(Probe(mapped, here), Probe(four100, here)) {
		t.Error("a mapped address is announced as IPv6")
	}
}

// reply and answer are what a holder says to the probes.
var (
	reply  = ARP{To: here, From: there, Op: Reply, SenderMAC: there, Sender: four100, TargetMAC: here, Target: netip.IPv4Unspecified()}
	answer = NDP{
		To: MAC{0x33, 0x33, 5: 1}, From: there, Src: six100, Dst: allNodes, Advertisement: true, Router: true, Override: true,
		Target: six100, Link: there,
	}
	resolve = NDP{
		To: multicast(Solicited(addr("fd77::1"))), From: there, Src: six100, Dst: Solicited(addr("fd77::1")),
		Target: addr("fd77::1"), Link: there,
	}
)

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

func TestClaims(t *testing.T) {
	unlinked := answer
	unlinked.Link = MAC{}
	for name, c := range map[string]struct {
		frame []byte
		want  Claim
		ok    bool
	}{
		"reply":            {reply.Append(nil), Claim{four100, there, true}, true},
		"announcement":     {Announcement(four100, there), Claim{four100, there, false}, true},
		"padded":           {append(reply.Append(nil), make([]byte, 18)...), Claim{four100, there, true}, true},
		"probe":            {Probe(four100, there), Claim{}, false},
		"advertisement":    {answer.Append(nil), Claim{six100, there, true}, true},
		"without option":   {unlinked.Append(nil), Claim{six100, there, true}, true},
		"looks for a host": {resolve.Append(nil), Claim{six100, there, false}, true},
		"asks only":        {Probe(six100, there), Claim{}, false},
		"nothing":          {nil, Claim{}, false},
	} {
		got, ok := ReadClaim(c.frame)
		if ok != c.ok || ok && got != c.want {
			t.Errorf("%s: %+v, %v", name, got, ok)
		}
	}
}

// TestRefused breaks one rule of RFC 4861, section 7.1, at a time.
func TestRefused(t *testing.T) {
	good := answer.Append(nil)
	if _, err := ParseNDP(good); err != nil {
		t.Fatal(err)
	}
	const ip, icmp, option = headerLength, headerLength + ipv6Length, headerLength + ipv6Length + messageLength
	for name, change := range map[string]func(b []byte) []byte{
		"short":          func(b []byte) []byte { return b[:len(b)-1] },
		"not IPv6":       func(b []byte) []byte { b[12] = 0x08; return b },
		"version":        func(b []byte) []byte { b[ip] = 0x40; return b },
		"next header":    func(b []byte) []byte { b[ip+6] = 0; return b },
		"from elsewhere": func(b []byte) []byte { b[ip+7] = 254; return b },
		"checksum":       func(b []byte) []byte { b[icmp+3]++; return b },
		"code":           func(b []byte) []byte { b[icmp+1]++; return mend(b) },
		"another type":   func(b []byte) []byte { b[icmp] = 134; return mend(b) },
		"length 0":       func(b []byte) []byte { b[option+1] = 0; return mend(b) },
		"option cut off": func(b []byte) []byte { b[option+1] = 2; return mend(b) },
	} {
		if n, err := ParseNDP(change(bytes.Clone(good))); err == nil {
			t.Errorf("%s: read as %+v", name, n)
		}
	}
	for name, change := range map[string]func(b []byte) []byte{
		"short":        func(b []byte) []byte { return b[:headerLength+arpLength-1] },
		"another kind": func(b []byte) []byte { b[13] = 0; return b },
		"another link": func(b []byte) []byte { b[headerLength+1] = 32; return b },
	} {
		if a, err := ParseARP(change(reply.Append(nil))); err == nil {
			t.Errorf("%s: read as %+v", name, a)
		}
	}
}

// mend writes the right checksum into a frame.
func mend(b []byte) []byte {
	p := b[headerLength:]
	m := p[ipv6Length:]
	m[2], m[3] = 0, 0
	s := ^sum([16]byte(p[8:24]), [16]byte(p[24:40]), m)
	m[2], m[3] = byte(s>>8), byte(s)
	return b
}

// FuzzFrame writes again what it could read, and reads the same.
func FuzzFrame(f *testing.F) {
	for _, fr := range frames {
		f.Add(fr.frame)
	}
	f.Add(reply.Append(nil))
	f.Add(answer.Append(nil))
	f.Add(resolve.Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := ParseARP(b)
		if err == nil && !bytes.Equal(a.Append(nil), b[:headerLength+arpLength]) {
			t.Errorf("%x became %x", b, a.Append(nil))
		}
		n, err := ParseNDP(b)
		if err == nil {
			again, err := ParseNDP(n.Append(nil))
			if diff := cmp.Diff(n, again, plain); err != nil || diff != "" {
				t.Errorf("%x: %v, %s", b, err, diff)
			}
		}
		ReadClaim(b)
	})
}
