package advertise

import (
	"encoding/binary"
	"net/netip"

	"golang.org/x/sys/unix"

	"redkeep/internal/speak/advert"
)

const (
	// maxPacket holds an IPv4 header with all its options, too; what is longer is no advertisement.
	maxPacket = 60 + advert.MaxLength + 1
	// maxControl is for where an IPv6 packet went to and how many hops it has left.
	maxControl = 128
)

// receiver is one packet's buffers.
type receiver struct {
	hand    *Hand
	data    []byte
	control []byte

	n, controls int
	from        unix.Sockaddr
	failed      error
}

// receive takes one packet, or says that there is none yet.
func (r *receiver) receive(fd uintptr) bool {
	r.n, r.controls, _, r.from, r.failed = unix.Recvmsg(int(fd), r.data, r.control, unix.MSG_DONTWAIT)
	return r.failed != unix.EAGAIN
}

// read makes what was heard out of a packet. Without its addresses it can't be told from whom it is.
func (r *receiver) read() (Heard, bool) {
	heard, payload, ok := Heard{}, r.data[:r.n], false
	if r.hand.cfg.IPv6 {
		heard, ok = r.ends6()
	} else {
		heard, payload, ok = ends4(payload)
	}
	if !ok {
		return Heard{}, false
	}
	heard.Advert, heard.Err = advert.Parse(payload, heard.From, heard.To)
	return heard, true
}

// ends4 reads the header, which the kernel leaves on IPv4.
func ends4(packet []byte) (h Heard, payload []byte, ok bool) {
	const shortest = 20
	if len(packet) < shortest {
		return Heard{}, nil, false
	}
	header, total := int(packet[0]&0xf)*4, int(binary.BigEndian.Uint16(packet[2:]))
	if header < shortest || total < header || total > len(packet) {
		return Heard{}, nil, false
	}
	return Heard{
		From: netip.AddrFrom4([4]byte(packet[12:16])), To: netip.AddrFrom4([4]byte(packet[16:20])), Hops: int(packet[8]),
	}, packet[header:total], true
}

// ends6 reads what the kernel tells beside an IPv6 packet.
func (r *receiver) ends6() (h Heard, ok bool) {
	from, ok := r.from.(*unix.SockaddrInet6)
	if !ok {
		return Heard{}, false
	}
	h.From = netip.AddrFrom16(from.Addr)
	messages, err := unix.ParseSocketControlMessage(r.control[:r.controls])
	if err != nil {
		return Heard{}, false
	}
	for _, m := range messages {
		switch {
		case m.Header.Level != unix.SOL_IPV6:
		case m.Header.Type == unix.IPV6_PKTINFO && len(m.Data) >= 16:
			h.To = netip.AddrFrom16([16]byte(m.Data))
		case m.Header.Type == unix.IPV6_HOPLIMIT && len(m.Data) >= 4:
			h.Hops = int(binary.NativeEndian.Uint32(m.Data))
		}
	}
	return h, h.To.IsValid()
}
