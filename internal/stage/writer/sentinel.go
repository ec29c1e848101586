package writer

import (
	"context"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"redkeep/internal/speak/resp"
	"redkeep/internal/stage/wire"
)

const (
	// announced bounds the announcements that wait for the writer; all faces tell of the same switch.
	announced = 16
	// silence is how long a subscription may be silent before it is made anew: the face may be gone without a word.
	silence = 5 * time.Second
)

// Sentinel finds the master as a client of Sentinel does: it asks any face, and subscribes to +switch-master at all.
type Sentinel struct {
	dial     wire.Dialer
	faces    []netip.AddrPort
	master   string
	switched chan netip.AddrPort
	cancel   context.CancelFunc
	ears     sync.WaitGroup
}

// NewSentinel returns a finder of the master of that name. Its Close must be called.
func NewSentinel(dial wire.Dialer, faces []netip.AddrPort, master string) *Sentinel {
	ctx, cancel := context.WithCancel(context.Background())
	s := &Sentinel{dial: dial, faces: faces, master: master, switched: make(chan netip.AddrPort, announced), cancel: cancel}
	for _, face := range faces {
		s.ears.Go(func() { s.listen(ctx, face) }) // ends at Close
	}
	return s
}

// Find returns the first face's answer. It waits until one has an answer or the context ends.
func (s *Sentinel) Find(ctx context.Context) (netip.AddrPort, error) {
	return race(ctx, s.faces, s.dial, func(conn *wire.Conn) (netip.AddrPort, error) {
		answer, err := conn.Do(DefaultTimeout, "SENTINEL", "get-master-addr-by-name", s.master)
		if err != nil || len(answer.Elems) != 2 {
			return netip.AddrPort{}, err
		}
		return address(answer.Elems[0].Text, answer.Elems[1].Text)
	})
}

// Switched delivers each master that a face announces.
func (s *Sentinel) Switched() <-chan netip.AddrPort { return s.switched }

// Close ends the subscriptions.
func (s *Sentinel) Close() {
	s.cancel()
	s.ears.Wait()
}

// listen keeps a subscription at one face.
func (s *Sentinel) listen(ctx context.Context, face netip.AddrPort) {
	for {
		if conn, err := wire.Dial(ctx, s.dial, face, DefaultTimeout); err == nil {
			s.hear(ctx, conn)
		}
		if !pause(ctx, askPause) {
			return
		}
	}
}

// hear subscribes and passes announcements on until the connection ends or is silent for too long.
func (s *Sentinel) hear(ctx context.Context, conn *wire.Conn) {
	defer conn.Close()
	defer context.AfterFunc(ctx, conn.Close)()
	if _, err := conn.Do(DefaultTimeout, "SUBSCRIBE", "+switch-master"); err != nil {
		return
	}
	for {
		message, err := conn.Next(silence)
		if err != nil {
			return
		}
		target, ok := s.announcement(message)
		if !ok {
			continue
		}
		select {
		case s.switched <- target:
		default: // the writer has enough to follow; it asks again if that leads nowhere
		}
	}
}

// announcement reads "message +switch-master NAME OLD-IP OLD-PORT NEW-IP NEW-PORT".
func (s *Sentinel) announcement(message resp.Value) (netip.AddrPort, bool) {
	if len(message.Elems) != 3 || message.Elems[0].Text != "message" {
		return netip.AddrPort{}, false
	}
	words := strings.Fields(message.Elems[2].Text)
	if len(words) != 5 || words[0] != s.master {
		return netip.AddrPort{}, false
	}
	target, err := address(words[3], words[4])
	return target, err == nil
}

func address(ip, port string) (netip.AddrPort, error) {
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("read master's address: %w", err)
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("read master's port: %w", err)
	}
	return netip.AddrPortFrom(addr, uint16(number)), nil
}
