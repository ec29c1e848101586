package peer

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"redkeep/internal/speak/seal"
	"redkeep/internal/words"
)

// MaxItem is the length in bytes of the longest item that any datagram can carry, whatever the sender's name.
const MaxItem = 1000

// receivePause is the wait after a failed read, so that an error that lasts doesn't take a whole core.
const receivePause = 10 * time.Millisecond

// outgoing is a datagram on its way into the kernel. It is pooled together with the function that sends it, so that
// sending allocates nothing.
type outgoing struct {
	body   []byte
	packet []byte
	to     unix.Sockaddr
	err    error
	try    func(fd uintptr) bool
}

var outgoings = sync.Pool{New: func() any {
	o := &outgoing{body: make([]byte, 0, seal.MaxDatagram), packet: make([]byte, 0, seal.MaxDatagram)}
	o.try = func(fd uintptr) bool {
		o.err = unix.Sendto(int(fd), o.packet, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, o.to)
		return true
	}
	return o
}}

// Send puts the items into as few datagrams as hold them, in order, and gives these to the kernel. It never waits: what
// the kernel does not take at once is dropped and counted, as the network may drop it. An item longer than MaxItem and
// a node that is no peer are dropped, counted and logged.
func (p *Peer) Send(to words.Node, items ...[]byte) {
	r, ok := p.remotes[to]
	if !ok {
		p.count.dropped.Add(1)
		p.log.complain(netip.Addr{}, "datagram not sent", errUnknownNode, "node", to)
		return
	}
	o := outgoings.Get().(*outgoing)
	defer outgoings.Put(o)
	o.body = o.body[:0]
	room := r.link.Room()
	for _, item := range items {
		if len(item) > MaxItem {
			p.count.dropped.Add(1)
			p.log.complain(r.addr.Addr(), "datagram not sent", errLongItem, "bytes", len(item))
			continue
		}
		if len(o.body)+seal.ItemSize(item) > room {
			p.sendBody(r, o)
		}
		o.body = seal.AppendItem(o.body, item)
	}
	if len(o.body) > 0 {
		p.sendBody(r, o)
	}
}

var (
	errUnknownNode = errors.New("send datagram: no such peer")
	errLongItem    = errors.New("send datagram: item too long")
)

// sendBody seals and sends what o has gathered, and empties it.
func (p *Peer) sendBody(r *remote, o *outgoing) {
	r.mu.Lock()
	o.packet = r.link.Seal(o.packet[:0], o.body)
	r.mu.Unlock()
	o.body = o.body[:0]
	p.transmit(r, o)
}

// transmit gives o's packet to the kernel. The peer's configured address is used whatever a packet came from, so that
// nobody can be made the target of answers.
func (p *Peer) transmit(r *remote, o *outgoing) {
	o.to, o.err = r.to, nil
	if err := p.raw.Write(o.try); err != nil {
		o.err = err
	}
	p.watchSilence(r, o.err)
	if o.err != nil {
		p.count.dropped.Add(1)
		if !errors.Is(o.err, net.ErrClosed) && !errors.Is(o.err, os.ErrClosed) {
			p.log.complain(r.addr.Addr(), "datagram not sent", o.err, "node", r.node)
		}
		return
	}
	p.count.sent.Add(1)
}

// greet tells a peer this start's session before the first message, which then costs no extra round trip.
func (p *Peer) greet(r *remote) {
	o := outgoings.Get().(*outgoing)
	defer outgoings.Put(o)
	r.mu.Lock()
	o.packet = r.link.Hello(o.packet[:0])
	r.mu.Unlock()
	p.transmit(r, o)
}

// receive reads datagrams until the socket is closed.
func (p *Peer) receive() {
	// One byte more than a datagram may have, so that a longer one shows.
	packet := make([]byte, seal.MaxDatagram+1)
	var items [][]byte
	for {
		n, from, err := p.datagrams.ReadFromUDPAddrPort(packet)
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			p.log.complain(netip.Addr{}, "no datagram received", err)
			if !p.pause(receivePause) {
				return
			}
			continue
		}
		if items, err = p.take(packet[:n], items[:0]); err != nil {
			p.count.refuse(err)
			p.log.complain(from.Addr().Unmap(), "datagram refused", err)
		}
	}
}

var errStranger = errors.New("open datagram: its sender is no node of ours; compare nodes on both sides")

// take judges one datagram and hands its items on.
func (p *Peer) take(packet []byte, items [][]byte) ([][]byte, error) {
	name, err := seal.Sender(packet)
	if err != nil {
		return items, err
	}
	r, ok := p.remotes[words.Node(name)]
	if !ok {
		return items, errStranger
	}
	receipt, err := p.judge(r, packet)
	if err != nil {
		return items, err
	}
	if receipt.Outlived != 0 && p.config.OnOutlived != nil {
		p.config.OnOutlived(r.node, receipt.Outlived)
	}
	if items, err = seal.Items(items, receipt.Body); err != nil {
		return items, err
	}
	if len(items) > 0 && p.config.OnDatagram != nil {
		p.config.OnDatagram(r.node, receipt.Session, items)
	}
	return items, nil
}

// judge opens the datagram and sends what its link has to say to it: a hello to a sender that has not heard from this
// start, or once more what the peer could not take. Being unproven is the normal beginning of a link, and no error.
func (p *Peer) judge(r *remote, packet []byte) (seal.Receipt, error) {
	o := outgoings.Get().(*outgoing)
	defer outgoings.Put(o)
	r.mu.Lock()
	receipt, err := r.link.Open(packet)
	r.judged(err)
	if err == nil {
		r.silence.end()
	}
	switch {
	case receipt.Resend != nil:
		o.packet = r.link.Seal(o.packet[:0], receipt.Resend)
	case receipt.Hello:
		o.packet = r.link.Answer(o.packet[:0], receipt)
	default:
		o.packet = o.packet[:0]
	}
	r.mu.Unlock()
	if len(o.packet) > 0 {
		p.transmit(r, o)
	}
	switch {
	case errors.Is(err, seal.ErrUnproven):
		p.count.unproven.Add(1)
		return receipt, nil
	case err == nil:
		p.count.received.Add(1)
	}
	return receipt, err
}
