package reach

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"redkeep/internal/words"
)

// Config is what a Watch is opened with.
type Config struct {
	// Hosts are asked in turn, every Every and when Ask is called; when none has answered for Silent, none is reached.
	Hosts         []netip.Addr
	Every, Silent time.Duration
	// Now is the agent's clock.
	Now func() words.Instant
	// OnNews is called from Run's goroutine with whether one is reached: once at first, when that changes, and after each answer. Asked
	// is when the newest question left that was answered.
	OnNews func(reached bool, asked words.Instant)
}

// gap is the least time between two questions: many groups ask at once.
const gap = 2 * time.Millisecond

// Watch asks hosts whether they are there.
type Watch struct {
	conf    Config
	id      uint16
	socket4 net.PacketConn
	socket6 net.PacketConn
	asks    chan struct{}
	answers chan answer
}

// answer is one that came from a host, at an instant, to the question of a number.
type answer struct {
	seq uint16
	at  words.Instant
}

// Open makes the sockets that the hosts' families need, in the present thread's network namespace. It needs CAP_NET_RAW.
func Open(c Config) (*Watch, error) {
	w := &Watch{conf: c, id: uint16(rand.Uint32()), asks: make(chan struct{}, 1), answers: make(chan answer, 16)}
	var err error
	if slices.ContainsFunc(c.Hosts, netip.Addr.Is4) {
		if w.socket4, err = net.ListenPacket("ip4:icmp", "0.0.0.0"); err != nil {
			return nil, fmt.Errorf("open a socket for echoes: %w; the agent needs CAP_NET_RAW for tie_breakers", err)
		}
	}
	if slices.ContainsFunc(c.Hosts, netip.Addr.Is6) {
		if w.socket6, err = net.ListenPacket("ip6:ipv6-icmp", "::"); err != nil {
			w.Close()
			return nil, fmt.Errorf("open a socket for echoes: %w; the agent needs CAP_NET_RAW for tie_breakers", err)
		}
	}
	return w, nil
}

// Close ends Run, too.
func (w *Watch) Close() {
	for _, s := range []net.PacketConn{w.socket4, w.socket6} {
		if s != nil {
			s.Close()
		}
	}
}

// Ask has the hosts asked now, or as soon as the gap allows. It waits for nothing, and may be called from any goroutine.
func (w *Watch) Ask() {
	select {
	case w.asks <- struct{}{}:
	default: // one is to come, and is later than this moment
	}
}

// Run asks until the context ends.
func (w *Watch) Run(ctx context.Context) error {
	var receiving sync.WaitGroup
	defer receiving.Wait()
	defer w.Close()
	for _, s := range []struct {
		socket net.PacketConn
		v6     bool
	}{{w.socket4, false}, {w.socket6, true}} {
		if s.socket != nil {
			receiving.Go(func() { w.receive(ctx, s.socket, s.v6) })
		}
	}
	turn := time.NewTicker(w.conf.Every)
	defer turn.Stop()
	t := talk{watch: w, begun: w.conf.Now()}
	t.ask()
	for {
		asks := w.asks
		if t.early() {
			asks = nil
		}
		select {
		case <-ctx.Done():
			return nil
		case a := <-w.answers:
			t.answered(a)
		case <-asks:
			t.ask()
		case <-t.spaced():
		case <-turn.C:
			t.ask()
			t.judge()
		}
	}
}

// talk is what Run's goroutine knows.
type talk struct {
	watch *Watch
	begun words.Instant
	// sent are when the last questions left, by their number.
	sent [64]words.Instant
	seq  uint16
	last words.Instant
	// heard is when a host last answered, newest the question that it did answer.
	heard, newest words.Instant
	told, reached bool
}

// ask puts a question to each host.
func (t *talk) ask() {
	t.seq++
	t.last = t.watch.conf.Now()
	t.sent[int(t.seq)%len(t.sent)] = t.last
	for _, h := range t.watch.conf.Hosts {
		t.watch.send(h, t.seq) // one that can't be sent is one that is not answered
	}
}

// early reports whether the last question is younger than the gap.
func (t *talk) early() bool { return t.watch.conf.Now().Sub(t.last) < gap }

// spaced wakes Run when the gap is over; it is nil where it is.
func (t *talk) spaced() <-chan time.Time {
	if !t.early() {
		return nil
	}
	return time.After(gap)
}

// answered takes an answer to one of the last questions; who answers an older one is there as well, and it says nothing new.
func (t *talk) answered(a answer) {
	t.heard = max(t.heard, a.at)
	if age := t.seq - a.seq; int(age) < len(t.sent) && t.sent[int(a.seq)%len(t.sent)] > t.newest {
		t.newest = t.sent[int(a.seq)%len(t.sent)]
		t.tell(true)
	}
}

// judge says when none has answered for too long.
func (t *talk) judge() {
	now := t.watch.conf.Now()
	if now.Sub(max(t.heard, t.begun)) >= t.watch.conf.Silent && (!t.told || t.reached) {
		t.tell(false)
	}
}

func (t *talk) tell(reached bool) {
	t.told, t.reached = true, reached
	t.watch.conf.OnNews(reached, t.newest)
}

func (w *Watch) send(to netip.Addr, seq uint16) {
	socket := w.socket4
	if to.Is6() {
		socket = w.socket6
	}
	_ = socket.SetWriteDeadline(time.Now().Add(w.conf.Every))
	_, _ = socket.WriteTo(appendEcho(nil, to.Is6(), w.id, seq), &net.IPAddr{IP: to.AsSlice()})
}

// receive takes answers until the socket is closed. What a socket for all ICMP brings besides is not looked at.
func (w *Watch) receive(ctx context.Context, socket net.PacketConn, v6 bool) {
	b := make([]byte, 1500)
	for {
		n, from, err := socket.ReadFrom(b)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			select { // such as a device that is down: who does not hear is not reached
			case <-time.After(w.conf.Every):
			case <-ctx.Done():
				return
			}
			continue
		}
		id, seq, ok := parseReply(b[:n], v6)
		if !ok || id != w.id || !w.asked(from) {
			continue
		}
		select {
		case w.answers <- answer{seq, w.conf.Now()}:
		case <-ctx.Done():
			return
		}
	}
}

// asked reports whether an address is one of the hosts.
func (w *Watch) asked(from net.Addr) bool {
	ip, ok := from.(*net.IPAddr)
	if !ok {
		return false
	}
	addr, ok := netip.AddrFromSlice(ip.IP)
	return ok && slices.Contains(w.conf.Hosts, addr.Unmap())
}
