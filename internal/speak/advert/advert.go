package advert

import (
	"encoding/binary"
	"net/netip"
	"time"

	"redkeep/internal/words"
)

// Protocol is VRRP's number among those of IP.
const Protocol = 112

// Group4 and Group6 are where routers that are not told of their peers speak to one another.
func Group4() netip.Addr { return netip.AddrFrom4([4]byte{224, 0, 0, 18}) }

// Group6 is Group4 for IPv6.
func Group6() netip.Addr { return netip.AddrFrom16([16]byte{0xff, 0x02, 15: 0x12}) }

// Auth is how a sender shows that it belongs to the others. Version 3 has none.
type Auth uint8

// The kinds of authentication of RFC 2338, of which later ones kept the numbers.
const (
	NoAuth Auth = iota
	Password
	Header
)

// Form is over what an IPv4 advertisement of version 3 is summed up.
type Form uint8

// The forms: Pseudo includes both addresses (RFC 5798 as keepalived reads it), Plain does not (RFC 9568).
const (
	Pseudo Form = iota
	Plain
)

// String returns a word for the form.
func (f Form) String() string {
	if f == Plain {
		return "without pseudo-header"
	}
	return "with pseudo-header"
}

// Advert is one advertisement.
type Advert struct {
	// Version is 2 or 3; over IPv6 it is 3.
	Version uint8
	// VRID is from 1 to 255.
	VRID uint8
	// Priority is 0 where the master leaves, and 255 where it owns the addresses.
	Priority uint8
	// Interval is whole seconds from 1 to 255 in version 2, and hundredths of a second up to 40.95 s in version 3.
	Interval time.Duration
	// Addresses are the virtual ones, from 1 to 255, all of the packet's family.
	Addresses []netip.Addr
	// Auth and Secret are of version 2. Of a Secret eight bytes count.
	Auth   Auth
	Secret words.Secret
	// Checksum is of IPv4 and version 3.
	Checksum Form
}

const (
	// headerLength is that of both versions' heads, authLength that of version 2's end.
	headerLength = 8
	authLength   = 8
	// advertisement is the only type that there is, in the first byte's lower half.
	advertisement = 1
	// mostCentis is what the 12 bits of version 3's interval can say.
	mostCentis = 1<<12 - 1
	centi      = 10 * time.Millisecond
	checksumAt = 6
)

// MaxLength is the length of the longest advertisement that can be written.
const MaxLength = headerLength + 255*16 + authLength

// Append writes an advertisement that goes from src to dst. What does not fit is cut: an interval to what its version
// can say, a secret to eight bytes, addresses to the first 255.
func (a *Advert) Append(b []byte, src, dst netip.Addr) []byte {
	start := len(b)
	addresses := a.Addresses[:min(len(a.Addresses), 255)]
	b = append(b, a.Version<<4|advertisement, a.VRID, a.Priority, byte(len(addresses)))
	if a.Version == 2 {
		b = append(b, byte(a.Auth), byte(min(max(a.Interval/time.Second, 1), 255)), 0, 0)
	} else {
		b = binary.BigEndian.AppendUint16(b, uint16(min(max(a.Interval/centi, 1), mostCentis)))
		b = append(b, 0, 0)
	}
	for _, addr := range addresses {
		if addr.Is4() {
			four := addr.As4()
			b = append(b, four[:]...)
		} else {
			sixteen := addr.As16()
			b = append(b, sixteen[:]...)
		}
	}
	if a.Version == 2 {
		b = appendSecret(b, a.Auth, a.Secret)
	}
	message := b[start:]
	binary.BigEndian.PutUint16(message[checksumAt:], ^sum(message, a.initial(src, dst, len(message))))
	return b
}

// appendSecret writes the end of version 2, which is there without a secret, too.
func appendSecret(b []byte, auth Auth, secret words.Secret) []byte {
	var data [authLength]byte
	if auth == Password {
		copy(data[:], secret.Reveal())
	}
	return append(b, data[:]...)
}

// initial is what the sum of a message begins with.
func (a *Advert) initial(src, dst netip.Addr, length int) uint32 {
	if a.Version == 2 || src.Is4() && a.Checksum == Plain {
		return 0
	}
	return pseudo(src, dst, length)
}

// SameSecret reports whether two secrets are the same on the wire, where eight bytes count.
func SameSecret(a, b words.Secret) bool { return onWire(a) == onWire(b) }

func onWire(s words.Secret) (data [authLength]byte) {
	copy(data[:], s.Reveal())
	return data
}
