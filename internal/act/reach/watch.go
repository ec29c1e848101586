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
	"sync/atomic"
	"time"
)

// Config is what a Watch is opened with.
type Config struct {
	// Hosts are asked in turn, every Every; when none has answered for Silent, none is reached.
	Hosts         []netip.Addr
	Every, Silent time.Duration
	// OnChange is called from Run's goroutine with whether one is reached: once at first, and then when that changes.
	OnChange func(reached bool)
}

// Watch asks hosts whether they are there.
type Watch struct {
	conf     Config
	id       uint16
	socket4  net.PacketConn
	socket6  net.PacketConn
	answered atomic.Int64 // when one last did, in nanoseconds since began
	began    time.Time
	news     chan struct{}
}

// Open makes the sockets that the hosts' families need, in the present thread's network namespace. It needs CAP_NET_RAW.
func Open(c Config) (*Watch, error) {
	w := &Watch{conf: c, id: uint16(rand.Uint32()), began: time.Now(), news: make(chan struct{}, 1)}
	w.answered.Store(-1)
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
			receiving.Go(func() { w.receive(s.socket, s.v6) })
		}
	}
	turn := time.NewTicker(w.conf.Every)
	defer turn.Stop()
	told, reached := false, false
	for seq := uint16(0); ; seq++ {
		for _, h := range w.conf.Hosts {
			w.send(h, seq) // one that can't be sent is one that is not answered
		}
		select {
		case <-ctx.Done():
			return nil
		case <-w.news:
		case <-turn.C:
		}
		last := time.Duration(w.answered.Load())
		is := last >= 0 && time.Since(w.began)-last < w.conf.Silent
		if !told && !is && time.Since(w.began) < w.conf.Silent {
			continue // the first answer is on its way
		}
		if !told || is != reached {
			told, reached = true, is
			w.conf.OnChange(is)
		}
		w.pause(ctx, turn)
	}
}

// pause waits for the next turn, whatever comes in meanwhile: news of one that answers is no reason to ask it again at once.
func (w *Watch) pause(ctx context.Context, turn *time.Ticker) {
	select {
	case <-ctx.Done():
	case <-turn.C:
	}
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
func (w *Watch) receive(socket net.PacketConn, v6 bool) {
	b := make([]byte, 1500)
	for {
		n, from, err := socket.ReadFrom(b)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			time.Sleep(w.conf.Every) // such as a device that is down: who does not hear is not reached
			continue
		}
		id, _, ok := parseReply(b[:n], v6)
		if !ok || id != w.id || !w.asked(from) {
			continue
		}
		w.answered.Store(int64(time.Since(w.began)))
		select {
		case w.news <- struct{}{}:
		default:
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
