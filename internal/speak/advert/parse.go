package advert

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"

	"redkeep/internal/words"
)

// Fault is what is wrong with an advertisement by itself, whoever reads it.
type Fault uint8

// The faults, in the order in which they are looked for.
const (
	// TooShort has no whole head: Got bytes. VRID and Priority are read where they are there.
	TooShort Fault = iota + 1
	// WrongVersion is neither 2 nor 3, or not 3 over IPv6.
	WrongVersion
	// WrongType is no advertisement.
	WrongType
	// NoVRID is a virtual router 0, which there is not.
	NoVRID
	// NoAddresses lists none.
	NoAddresses
	// WrongLength is Got bytes where the number of addresses makes it Want.
	WrongLength
	// WrongChecksum is right in no form: Got, where it should be Want.
	WrongChecksum
	// WrongAuth is a kind of authentication that is not spoken here.
	WrongAuth
	// NoInterval is 0, after which nobody could wait three times as long.
	NoInterval
)

// Flaw is the error of Parse.
type Flaw struct {
	Fault     Fault
	Got, Want int
}

// Error says what is wrong, with both numbers.
func (f *Flaw) Error() string {
	switch f.Fault {
	case TooShort:
		return fmt.Sprintf("read advertisement: %d bytes are less than a head of %d", f.Got, f.Want)
	case WrongVersion:
		return fmt.Sprintf("read advertisement: version %d, and not %d", f.Got, f.Want)
	case WrongType:
		return fmt.Sprintf("read advertisement: type %d, and not %d", f.Got, f.Want)
	case NoVRID:
		return "read advertisement: virtual router 0"
	case NoAddresses:
		return "read advertisement: no addresses"
	case WrongLength:
		return fmt.Sprintf("read advertisement: %d bytes, and not %d", f.Got, f.Want)
	case WrongChecksum:
		return fmt.Sprintf("read advertisement: checksum %#04x, and not %#04x", f.Got, f.Want)
	case WrongAuth:
		return fmt.Sprintf("read advertisement: authentication of type %d", f.Got)
	default:
		return "read advertisement: interval 0"
	}
}

// Parse reads an advertisement that came from src to dst. The error is a *Flaw; the advertisement then has what could be
// read before it, for those who tell of its sender.
func Parse(b []byte, src, dst netip.Addr) (Advert, error) {
	var a Advert
	if len(b) > 2 {
		a.Version, a.VRID, a.Priority = b[0]>>4, b[1], b[2]
	}
	if len(b) < headerLength {
		return a, &Flaw{TooShort, len(b), headerLength}
	}
	size, want := 4, headerLength
	if src.Is6() {
		size = 16
	}
	if a.Version == 2 {
		want += authLength
	}
	want += size * int(b[3])
	switch {
	case a.Version != 3 && (a.Version != 2 || src.Is6()):
		return a, &Flaw{WrongVersion, int(a.Version), 3}
	case b[0]&0xf != advertisement:
		return a, &Flaw{WrongType, int(b[0] & 0xf), advertisement}
	case a.VRID == 0:
		return a, &Flaw{Fault: NoVRID}
	case b[3] == 0:
		return a, &Flaw{Fault: NoAddresses}
	case len(b) != want:
		return a, &Flaw{WrongLength, len(b), want}
	}
	a.readAddresses(b, size)
	if flaw := a.check(b, src, dst); flaw != nil {
		return a, flaw
	}
	if flaw := a.readRest(b); flaw != nil {
		return a, flaw
	}
	return a, nil
}

func (a *Advert) readAddresses(b []byte, size int) {
	a.Addresses = make([]netip.Addr, b[3])
	for i := range a.Addresses {
		a.Addresses[i], _ = netip.AddrFromSlice(b[headerLength+i*size : headerLength+(i+1)*size])
	}
}

// check finds the form in which the checksum is right.
func (a *Advert) check(b []byte, src, dst netip.Addr) *Flaw {
	if sum(b, a.initial(src, dst, len(b))) == 0xffff {
		return nil
	}
	right := sum(b, a.initial(src, dst, len(b)))
	if a.Version == 3 && src.Is4() {
		if sum(b, 0) == 0xffff {
			a.Checksum = Plain
			return nil
		}
	}
	got := binary.BigEndian.Uint16(b[checksumAt:])
	return &Flaw{WrongChecksum, int(got), int(^without(right, got))}
}

// without takes one number out of a sum in which it is, both in ones' complement.
func without(total, part uint16) uint16 {
	rest := uint32(total) + uint32(^part)
	return uint16(rest>>16 + rest&0xffff)
}

// readRest reads what the versions say differently.
func (a *Advert) readRest(b []byte) *Flaw {
	if a.Version == 3 {
		a.Interval = time.Duration(binary.BigEndian.Uint16(b[4:])&mostCentis) * centi
	} else {
		a.Auth, a.Interval = Auth(b[4]), time.Duration(b[5])*time.Second
		if a.Auth > Password {
			return &Flaw{Fault: WrongAuth, Got: int(a.Auth)}
		}
		if a.Auth == Password {
			a.Secret = words.NewSecret(string(bytes.TrimRight(b[len(b)-authLength:], "\x00")))
		}
	}
	if a.Interval == 0 {
		return &Flaw{Fault: NoInterval}
	}
	return nil
}
