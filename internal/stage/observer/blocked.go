package observer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"redkeep/internal/stage"
	"redkeep/internal/stage/clock"
	"redkeep/internal/stage/wire"
)

const (
	// blockLimit bounds the wait until the server has all clients, and patience each of its answers.
	blockLimit, patience = 5 * time.Second, time.Second
	// forever is longer than any test.
	forever = time.Hour
)

// End is how a blocked client's connection ended.
type End struct {
	At clock.Instant
	// Command is what it was blocked in.
	Command string
	// Reset says that the kernel reset the connection; otherwise it was closed, or Err says what else.
	Reset bool
	// Err is what the client read.
	Err error
}

// Blocked is a number of clients that wait for what never comes, half of them in BLPOP and half in SUBSCRIBE. They ask
// nothing any more: only who is cut off actively can know that its master is another.
type Blocked struct {
	conns []*wire.Conn
	tasks sync.WaitGroup

	mu   sync.Mutex // guards ends
	ends []End
}

// Block connects so many clients from a host to an address and returns when the server has them all blocked. Stop must
// be called.
func Block(ctx context.Context, from *stage.Host, at netip.AddrPort, clients int) (*Blocked, error) {
	b := &Blocked{}
	for i := range clients {
		conn, err := wire.Dial(ctx, from.Dial, at, patience)
		if err != nil {
			b.Stop()
			return nil, fmt.Errorf("block client %d: %w", i, err)
		}
		b.conns = append(b.conns, conn)
		if i%2 == 0 {
			b.tasks.Go(func() { b.wait(conn, "BLPOP", "nothing-comes", "0") }) // ends with the connection
		} else {
			b.tasks.Go(func() { b.wait(conn, "SUBSCRIBE", "nothing-comes") }) // ends with the connection
		}
	}
	if err := awaitBlocked(ctx, from, at, clients); err != nil {
		b.Stop()
		return nil, err
	}
	return b, nil
}

// wait asks and waits for the connection's end. A subscription is confirmed, which is no end.
func (b *Blocked) wait(conn *wire.Conn, args ...string) {
	_, err := conn.Do(forever, args...)
	for err == nil {
		_, err = conn.Next(forever)
	}
	now := clock.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ends = append(b.ends, End{At: now, Command: args[0], Reset: errors.Is(err, unix.ECONNRESET), Err: err})
}

// awaitBlocked asks the server until it has that many clients that wait, or was not asked in vain for long enough.
func awaitBlocked(ctx context.Context, from *stage.Host, at netip.AddrPort, clients int) error {
	ctx, cancel := context.WithTimeout(ctx, blockLimit)
	defer cancel()
	conn, err := wire.Dial(ctx, from.Dial, at, patience)
	if err != nil {
		return fmt.Errorf("count blocked clients: %w", err)
	}
	defer conn.Close()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for {
		popping, listening, err := count(conn)
		if err != nil {
			return fmt.Errorf("count blocked clients: %w", err)
		}
		if popping >= (clients+1)/2 && listening >= clients/2 {
			return nil
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return fmt.Errorf("count blocked clients: %d and %d of %d after %v", popping, listening, clients, blockLimit)
		}
	}
}

// count asks how many clients wait for a list, and how many are subscribed.
func count(conn *wire.Conn) (popping, listening int, err error) {
	info, err := conn.Do(patience, "INFO", "clients")
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(info.Text) {
		if n, ok := strings.CutPrefix(strings.TrimSpace(line), "blocked_clients:"); ok {
			popping, err = strconv.Atoi(n)
		}
	}
	if err != nil {
		return 0, 0, err
	}
	subscribed, err := conn.Do(patience, "PUBSUB", "NUMSUB", "nothing-comes")
	if err != nil || len(subscribed.Elems) != 2 {
		return popping, 0, errors.Join(err, io.ErrUnexpectedEOF)
	}
	return popping, int(subscribed.Elems[1].Int), nil
}

// Ends returns which clients were cut off so far, in order.
func (b *Blocked) Ends() []End {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ends[:len(b.ends):len(b.ends)]
}

// Left returns how many clients still wait.
func (b *Blocked) Left() int { return len(b.conns) - len(b.Ends()) }

// Stop ends the clients that still wait, and returns those that had been cut off before.
func (b *Blocked) Stop() []End {
	ends := b.Ends()
	for _, conn := range b.conns {
		conn.Close()
	}
	b.tasks.Wait()
	return ends
}
