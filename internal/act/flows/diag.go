package flows

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// diag is a connection to the kernel's socket monitoring. The netlink library's own calls cover IPv4 only, read no marks,
// and cannot ask for one port; its messages and sockets are used here.
type diag struct {
	handle nl.SocketHandle // Counts the requests, by which answers are known.
}

// socket is one connection as the kernel lists it.
type socket struct {
	family        byte
	local, remote netip.AddrPort
	mark          uint32
	id            []byte // As listed; destroying names it by the same bytes, which hold a cookie of its own.
}

// The layout of inet_diag_sockid, in bytes: ports, addresses, device, cookie.
const (
	idSource      = 4
	idDestination = 20
	idLength      = 48
	// msgID is where it begins in an answer, and msgLength where the attributes do.
	msgID     = 4
	msgLength = 72
	// attrMark is INET_DIAG_MARK, which the kernel tells to CAP_NET_ADMIN.
	attrMark = 15
)

// living are the states in which a connection can still carry an answer: all but listening, waiting and closed. One that
// its server has closed is among them, since it sends what is left in its queue.
const living = 1<<unix.BPF_TCP_ESTABLISHED | 1<<unix.BPF_TCP_SYN_RECV | 1<<unix.BPF_TCP_FIN_WAIT1 | 1<<unix.BPF_TCP_FIN_WAIT2 |
	1<<unix.BPF_TCP_CLOSE_WAIT | 1<<unix.BPF_TCP_LAST_ACK | 1<<unix.BPF_TCP_CLOSING

// attempts bounds how often a list that raced with a change is read again.
const attempts = 3

func open() (*diag, error) {
	s, err := nl.Subscribe(unix.NETLINK_INET_DIAG)
	if err != nil {
		return nil, fmt.Errorf("connect to socket monitoring: %w", unsupported(err))
	}
	return &diag{handle: nl.SocketHandle{Socket: s}}, nil
}

func (d *diag) close() { d.handle.Close() }

// list returns the connections with the given ports; 0 is any port.
func (d *diag) list(sport, dport uint16) ([]socket, error) {
	var out []socket
	for _, family := range []byte{unix.AF_INET, unix.AF_INET6} {
		id := make([]byte, idLength)
		binary.BigEndian.PutUint16(id, sport)
		binary.BigEndian.PutUint16(id[2:], dport)
		messages, err := d.dump(request(family, living, id))
		if err != nil {
			return nil, fmt.Errorf("list connections: %w", err)
		}
		for _, m := range messages {
			if s, ok := parse(m); ok {
				out = append(out, s)
			}
		}
	}
	return out, nil
}

func (d *diag) dump(body []byte) ([][]byte, error) {
	var (
		out [][]byte
		err error
	)
	for range attempts {
		out, err = d.exchange(nl.SOCK_DIAG_BY_FAMILY, unix.NLM_F_DUMP, body)
		if !errors.Is(err, nl.ErrDumpInterrupted) {
			return out, err
		}
	}
	return out, nil // A list that keeps changing: what was in it is better than nothing.
}

// destroy ends a connection and reports whether it was still there.
func (d *diag) destroy(s socket) (bool, error) {
	_, err := d.exchange(nl.SOCK_DESTROY, unix.NLM_F_ACK, request(s.family, living, s.id))
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, unix.ENOENT):
		return false, nil
	default:
		return false, fmt.Errorf("end connection of %s: %w", s.remote, unsupported(err))
	}
}

func (d *diag) exchange(kind, flags int, body []byte) ([][]byte, error) {
	req := nl.NewNetlinkRequest(kind, flags)
	req.Sockets = map[int]*nl.SocketHandle{unix.NETLINK_INET_DIAG: &d.handle}
	req.AddRawData(body)
	return req.Execute(unix.NETLINK_INET_DIAG, 0)
}

// request writes an inet_diag_req_v2.
func request(family byte, states uint32, id []byte) []byte {
	out := []byte{family, unix.IPPROTO_TCP, 0, 0}
	out = binary.NativeEndian.AppendUint32(out, states)
	return append(out, id...)
}

// parse reads an inet_diag_msg and the one attribute that matters.
func parse(m []byte) (socket, bool) {
	if len(m) < msgLength {
		return socket{}, false
	}
	id := m[msgID : msgID+idLength]
	length := 4
	if m[0] == unix.AF_INET6 {
		length = 16
	}
	local, _ := netip.AddrFromSlice(id[idSource : idSource+length])
	remote, _ := netip.AddrFromSlice(id[idDestination : idDestination+length])
	s := socket{
		family: m[0], id: id,
		local:  netip.AddrPortFrom(local, binary.BigEndian.Uint16(id)),
		remote: netip.AddrPortFrom(remote, binary.BigEndian.Uint16(id[2:])),
	}
	attrs, err := nl.ParseRouteAttr(m[msgLength:])
	if err != nil {
		return socket{}, false
	}
	for _, a := range attrs {
		if a.Attr.Type == attrMark && len(a.Value) == 4 {
			s.mark = binary.NativeEndian.Uint32(a.Value)
		}
	}
	return s, true
}
