package writer

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"time"

	"redkeep/internal/stage/wire"
)

// Finder says where the master is.
type Finder interface {
	// Find returns where to write. It may wait, until the context ends.
	Find(ctx context.Context) (netip.AddrPort, error)
	// Switched delivers each master that is announced; nil for a finder that hears no announcements.
	Switched() <-chan netip.AddrPort
	// Close ends what the finder keeps open.
	Close()
}

// Fixed finds one server, master or not.
type Fixed netip.AddrPort

// Find returns the server.
func (f Fixed) Find(context.Context) (netip.AddrPort, error) { return netip.AddrPort(f), nil }

// Switched returns nil.
func (Fixed) Switched() <-chan netip.AddrPort { return nil }

// Close does nothing.
func (Fixed) Close() {}

// Roles finds the first of several servers that says it is a master. It asks all at once and goes on asking, so that
// one which does not answer does not hold up the others.
type Roles struct {
	// Dial connects from the client's host.
	Dial wire.Dialer
	// Servers are those to ask.
	Servers []netip.AddrPort
}

// Find returns a server that says it is a master. It waits for one until the context ends.
func (r Roles) Find(ctx context.Context) (netip.AddrPort, error) {
	return race(ctx, r.Servers, r.Dial, func(conn *wire.Conn) (netip.AddrPort, error) {
		answer, err := conn.Do(DefaultTimeout, "ROLE")
		if err != nil || len(answer.Elems) == 0 || answer.Elems[0].Text != "master" {
			return netip.AddrPort{}, err
		}
		return conn.Peer(), nil
	})
}

// Switched returns nil.
func (Roles) Switched() <-chan netip.AddrPort { return nil }

// Close does nothing.
func (Roles) Close() {}

// askPause is the pause before the same server is asked again.
const askPause = 2 * time.Millisecond

// question asks over one connection. An invalid address means that the answer was of no help; after an error the
// connection is not used again.
type question func(*wire.Conn) (netip.AddrPort, error)

// race asks all addresses again and again, and returns the first answer that helps, when every asker has ended.
func race(ctx context.Context, addresses []netip.AddrPort, dial wire.Dialer, ask question) (netip.AddrPort, error) {
	if len(addresses) == 0 {
		return netip.AddrPort{}, errors.New("find master: there is nobody to ask")
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	found := make(chan netip.AddrPort, len(addresses))
	var askers sync.WaitGroup
	for _, address := range addresses {
		askers.Go(func() { // ends with the context, which the first answer ends
			if answer, ok := askUntil(ctx, address, dial, ask); ok {
				found <- answer
				cancel()
			}
		})
	}
	askers.Wait()
	select {
	case answer := <-found:
		return answer, nil
	default:
		return netip.AddrPort{}, context.Cause(ctx)
	}
}

// askUntil asks one address until its answer helps or the context ends.
func askUntil(ctx context.Context, address netip.AddrPort, dial wire.Dialer, ask question) (netip.AddrPort, bool) {
	for ctx.Err() == nil {
		if conn, err := wire.Dial(ctx, dial, address, DefaultTimeout); err == nil {
			if answer, ok := askOver(ctx, conn, ask); ok {
				return answer, true
			}
		}
		if !pause(ctx, askPause) {
			break
		}
	}
	return netip.AddrPort{}, false
}

// askOver asks over one connection until the answer helps, the connection fails or the context ends.
func askOver(ctx context.Context, conn *wire.Conn, ask question) (netip.AddrPort, bool) {
	defer conn.Close()
	defer context.AfterFunc(ctx, conn.Close)()
	for {
		answer, err := ask(conn)
		if err == nil && answer.IsValid() {
			return answer, true
		}
		if err != nil || !pause(ctx, askPause) {
			return netip.AddrPort{}, false
		}
	}
}

// pause waits; it returns false if the context ended.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
