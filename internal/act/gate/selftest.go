package gate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Result is what SelfTest measured.
type Result struct {
	// Asked is the length of the element.
	Asked time.Duration
	// Through is when the last request that was answered had been sent, counted from before the element was armed.
	Through time.Duration
	// Reset is when the open connection was reset, counted alike.
	Reset time.Duration
	// Late is how much Through is behind Asked: 0 if the kernel was in time.
	Late time.Duration
}

// ErrLeaks says that the gate does not do what it was told: the fence is soft.
var ErrLeaks = errors.New("the gate does not hold")

const (
	// selfTestGroup is the group of the spare port. A user's group cannot have its name, which has a blank in it.
	selfTestGroup = "redkeep self-test"
	selfTestFor   = 50 * time.Millisecond
	// selfTestLimit bounds each wait of the test; an element that is so late has not ended.
	selfTestLimit = time.Second
	// selfTests is how often a test is made that was kept from running while its element lived.
	selfTests = 3
)

// errMissed says that the test came too late to its own element.
var errMissed = errors.New("the element had run out before it was tried")

// SelfTest measures the gate on a spare port of the loopback device, by IPv4 and, where the host has it, by IPv6: shut to
// strangers and passed by the agent's own mark, then open for the length of an element and shut in time, for open
// connections as well. It takes about 60 ms and touches no group. Errors that wrap ErrLeaks are findings about the kernel;
// others say that nothing was found out.
func (h *Hand) SelfTest(ctx context.Context) (res Result, err error) {
	ctx, cancel := context.WithTimeout(ctx, selfTestLimit)
	defer cancel()
	for range selfTests {
		if res, err = h.selfTest(ctx); !errors.Is(err, errMissed) {
			break
		}
	}
	if err != nil {
		return res, fmt.Errorf("test gate: %w", err)
	}
	return res, nil
}

// selfTest makes the test once.
func (h *Hand) selfTest(ctx context.Context) (Result, error) {
	t := selfTest{hand: h, ctx: ctx}
	res, err := t.listenAndRun()
	for _, end := range slices.Backward(t.ends) {
		err = errors.Join(err, end())
	}
	return res, err
}

type selfTest struct {
	hand  *Hand
	ctx   context.Context
	addrs []string
	// ends undo what was begun, the last first.
	ends []func() error
}

func (t *selfTest) listenAndRun() (Result, error) {
	port, err := t.listen("tcp4", "127.0.0.1", 0)
	if err != nil {
		return Result{}, err
	}
	// A host may be without IPv6, and the port may be somebody's there: then IPv4 alone is measured.
	_, _ = t.listen("tcp6", "::1", port)
	t.ends = append(t.ends, func() error { return t.hand.Remove(selfTestGroup) })
	return t.run(port)
}

// listen serves one more address until the test ends.
func (t *selfTest) listen(network, host string, port uint16) (uint16, error) {
	var lc net.ListenConfig
	ln, err := lc.Listen(t.ctx, network, net.JoinHostPort(host, strconv.Itoa(int(port))))
	if err != nil {
		return 0, err
	}
	done := echoUntilClosed(ln)
	t.ends = append(t.ends, func() error {
		err := ln.Close()
		<-done
		return err
	})
	t.addrs = append(t.addrs, ln.Addr().String())
	return netip.MustParseAddrPort(ln.Addr().String()).Port(), nil
}

// echoUntilClosed serves a listener from goroutines that end when it closes. The channel closes when they have.
func echoUntilClosed(ln net.Listener) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		var serving sync.WaitGroup
		defer serving.Wait()
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			defer c.Close() // At the end of all: the other side of a reset connection would wait for long.
			serving.Go(func() { _, _ = io.Copy(c, c) })
		}
	}()
	return done
}

func (t *selfTest) run(port uint16) (Result, error) {
	h := t.hand
	if err := h.Set(selfTestGroup, Want{Ports: []uint16{port}, Mode: Shut}); err != nil {
		return Result{}, err
	}
	for _, addr := range t.addrs {
		if c, err := t.dial(addr, 0); err == nil {
			return Result{}, fmt.Errorf("%w: a connection to %s came through the shut gate", errors.Join(ErrLeaks, c.Close()), addr)
		}
		if err := t.own(addr); err != nil {
			return Result{}, err
		}
	}
	begin := time.Now()
	if err := errors.Join(h.Arm(selfTestGroup, 0, selfTestFor), h.Activate(selfTestGroup, 0)); err != nil {
		return Result{}, err
	}
	if h.cfg.stall != nil {
		h.cfg.stall()
	}
	var conns []net.Conn
	defer func() {
		for _, c := range conns {
			_ = c.Close()
		}
	}()
	for _, addr := range t.addrs {
		c, err := t.dial(addr, 0)
		switch {
		case err != nil && time.Since(begin) >= selfTestFor/2: // It may end some milliseconds early.
			return Result{}, fmt.Errorf("%w: %s: %w", errMissed, addr, err)
		case err != nil:
			return Result{}, fmt.Errorf("%w: %s is shut while an element was armed for %s: %w", ErrLeaks, addr, selfTestFor, err)
		}
		conns = append(conns, c)
	}
	return measure(conns, begin)
}

// own makes sure that the agent's own connection passes, in both directions.
func (t *selfTest) own(addr string) error {
	c, err := t.dial(addr, t.hand.cfg.Mark)
	if err != nil {
		return fmt.Errorf("%w: the agent's own mark does not pass to %s: %w", ErrLeaks, addr, err)
	}
	if err := errors.Join(c.SetDeadline(time.Now().Add(selfTestLimit)), exchange(c)); err != nil {
		return fmt.Errorf("%w: the agent's own connection gets no answer: %w", ErrLeaks, errors.Join(err, c.Close()))
	}
	return c.Close()
}

func (t *selfTest) dial(addr string, mark uint32) (net.Conn, error) {
	var d net.Dialer
	if mark != 0 {
		d.Control = Exempt(mark)
	}
	return d.DialContext(t.ctx, "tcp", addr)
}

// measure exchanges bytes until the gate shuts, by all connections in turn. The sending of a byte counts, not its coming
// back: a test that was kept from running must not blame the kernel for it.
func measure(conns []net.Conn, begin time.Time) (Result, error) {
	res := Result{Asked: selfTestFor}
	for _, c := range conns {
		if err := c.SetDeadline(begin.Add(selfTestLimit)); err != nil {
			return res, fmt.Errorf("limit wait: %w", err)
		}
	}
	tick := time.NewTicker(500 * time.Microsecond)
	defer tick.Stop()
	for {
		passed := 0
		for _, c := range conns {
			if sent := time.Since(begin); exchange(c) == nil {
				res.Through = sent
				passed++
			}
		}
		if passed == 0 {
			break
		}
		<-tick.C
	}
	res.Reset = time.Since(begin)
	res.Late = max(0, res.Through-res.Asked)
	if res.Reset >= selfTestLimit {
		return res, fmt.Errorf("%w: an open connection was not reset within %s", ErrLeaks, selfTestLimit)
	}
	return res, nil
}

func exchange(c net.Conn) error {
	b := []byte{'r'}
	if _, err := c.Write(b); err != nil {
		return err
	}
	_, err := io.ReadFull(c, b)
	return err
}
