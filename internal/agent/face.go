package agent

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"redkeep/internal/act/peer"
	"redkeep/internal/act/sockets"
	"redkeep/internal/agent/reception"
	"redkeep/internal/show/api"
	"redkeep/internal/show/sentinel"
	"redkeep/internal/words"
)

// leaseFace is the face of the leases, and the loop that serves its clients on a goroutine of its own: however many there are,
// and whatever they do, the agent's loop does not notice. An agent of few groups has one core, and the runtime takes it back from
// a busy goroutine after 10 ms only, so this one offers it after each turn.
type leaseFace struct {
	*sentinel.Lease
	sockets *sockets.Loop
	// later is what the face wants to be called for when the loop wakes; the loop's.
	later func()
	// asking are the switchovers that clients wait for.
	asking sync.WaitGroup
	// served says that serve has given back what was taken.
	served bool
}

const (
	// faceIdle ends a connection that asks for nothing and has subscribed to nothing.
	faceIdle = 10 * time.Minute
	// faceKeepAlive finds subscribers whose host has gone without a word.
	faceKeepAlive = time.Minute
)

// openFace listens for clients that speak Sentinel.
func (a *Agent) openFace(ctx context.Context) error {
	f := &leaseFace{}
	var err error
	if f.sockets, err = sockets.New(sockets.Config{Now: now, Woken: f.woken, Turn: runtime.Gosched, KeepAlive: faceKeepAlive}); err != nil {
		return fmt.Errorf("serve clients: %w", err)
	}
	a.face = f
	var face *sentinel.Face
	f.Lease, face = sentinel.NewLease(sentinel.LeaseConfig{
		Picture: a.picture.Load, DownAfter: a.opt.Config.DownAfter, Password: a.opt.Config.ListenPassword,
		Failover: func(g words.Group, done func(error)) { f.ask(func() error { return a.failover(ctx, g) }, done) },
		Post:     func(call func()) { f.sockets.Post(call) }, After: f.after,
	}, faceClients(openFiles()))
	return a.receive(face)
}

// receive has the face's clients served at the plain port and at that with TLS, as far as the file has them.
func (a *Agent) receive(face *sentinel.Face) error {
	at := func(port uint16, secure *tls.Config) error {
		err := a.listenFace(port, func(at netip.AddrPort) error {
			_, err := reception.Listen(a.face.sockets, at, face, reception.Options{Idle: faceIdle, TLS: secure, Dropped: a.onDropped})
			return err
		})
		if err != nil {
			return fmt.Errorf("listen for clients: %w; %s", err, adviseListen(err))
		}
		return nil
	}
	c := a.opt.Config
	if c.ListenPort != 0 {
		if err := at(c.ListenPort, nil); err != nil {
			return err
		}
	}
	if c.ListenTLS.Port == 0 {
		return nil
	}
	secure, err := serveTLS(c.ListenTLS, a.log)
	if err != nil {
		return fmt.Errorf("listen for clients with TLS: %w; look at the files of listen_tls", err)
	}
	return at(c.ListenTLS.Port, secure)
}

// listenFace has clients served at the node's address, and at the loopback's: those of this host ask there, where a Sentinel listens too.
// They need not be: whatever has that port keeps it. Where a node's own address is of the loopback, that of another may be the usual one.
func (a *Agent) listenFace(port uint16, listen func(netip.AddrPort) error) error {
	local := true
	if err := listen(netip.AddrPortFrom(a.opt.Self.Addr, port)); err != nil {
		return err
	}
	for _, n := range a.opt.Config.Nodes {
		local = local && !n.Addr.IsLoopback()
	}
	if !local {
		return nil
	}
	for _, at := range []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()} {
		err := listen(netip.AddrPortFrom(at, port))
		if err != nil && !errors.Is(err, unix.EADDRNOTAVAIL) && !errors.Is(err, unix.EAFNOSUPPORT) {
			a.log.Warn("clients of this host that ask the loopback are not served: stop what uses the port", "addr", at, "port", port, "error", err)
		}
	}
	return nil
}

// onDropped logs a client that was not well.
func (a *Agent) onDropped(client netip.AddrPort, why error) {
	if errors.Is(why, sockets.ErrSlow) || errors.Is(why, sockets.ErrLong) || errors.Is(why, reception.ErrUnfinished) {
		a.log.Info("drop sentinel client", "addr", client.String(), "error", why)
	}
}

// after has something called later, on the goroutine of the face. The face waits for one thing at a time.
func (f *leaseFace) after(d time.Duration, call func()) {
	f.later = call
	f.sockets.SetWake(now().Add(d))
}

func (f *leaseFace) woken(words.Instant) {
	if call := f.later; call != nil {
		f.later = nil
		call()
	}
}

// ask has something done that takes time, and says on the goroutine of the face what came of it. It ends within failoverWait;
// a lease has one under way for each group at most.
func (f *leaseFace) ask(do func() error, done func(error)) {
	f.asking.Go(func() {
		err := do()
		f.sockets.Tell(func() { done(err) })
	})
}

// spareFiles are the descriptors that clients leave to the rest of the agent: its sockets, its store, the processes it watches.
const spareFiles = 512

// faceClients is how many clients the face serves where the process may open so many files: what they need is never taken from
// what the lease needs.
func faceClients(files uint64) int {
	if files >= sentinel.DefaultClients+spareFiles {
		return sentinel.DefaultClients
	}
	return max(16, int(files)-spareFiles)
}

// openFiles is the limit that the Go runtime has raised as far as it may.
func openFiles() uint64 {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0
	}
	return limit.Cur
}

// failoverWait is how long a client of SENTINEL FAILOVER waits for the end of its switchover. Sentinel's OK says no more than
// that a failover has begun, so one that takes longer is answered with that, too, and goes on.
const failoverWait = time.Second

// failover asks the group's holder for a switchover to its best replica, as the command line does.
func (a *Agent) failover(ctx context.Context, g words.Group) error {
	ctx, cancel := context.WithTimeout(ctx, failoverWait)
	defer cancel()
	request, err := json.Marshal(api.Request{Version: api.Version, Verb: api.Switchover, Group: g})
	if err != nil {
		return fmt.Errorf("ask for a switchover: %w", err)
	}
	var told *api.Error
	err = a.onAsk(ctx, peer.CommandLine, request, func(answer []byte) error {
		p, err := api.ParsePart(answer)
		told = p.Error
		return err
	})
	switch {
	case told != nil && told.Fault == api.Refused:
		return &sentinel.Refusal{Code: "NOGOODSLAVE", Text: told.Text}
	case told != nil && told.Fault != api.Timeout:
		return told
	case err != nil && !errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("ask for a switchover of %s: %w", g, err)
	default:
		return nil
	}
}

func adviseListen(err error) string {
	if errors.Is(err, unix.EADDRNOTAVAIL) {
		return "this host does not have the address that nodes gives it; is it another node?"
	}
	return "stop what uses the port (a redis-sentinel?), or set another, listen_port or the port of listen_tls, on all nodes"
}

// serve answers clients until the context ends, and gives back what openFace took.
func (f *leaseFace) serve(ctx context.Context) error {
	f.served = true
	err := f.sockets.Run(ctx)
	f.asking.Wait()
	if err != nil {
		return fmt.Errorf("serve sentinel clients: %w", err)
	}
	return nil
}

// close gives back what openFace took where nothing has been served.
func (f *leaseFace) close() {
	if f.served {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = f.sockets.Run(ctx)
}

// addrs are the nodes' addresses.
func (a *Agent) addrs() map[words.Node]netip.Addr {
	m := make(map[words.Node]netip.Addr, len(a.opt.Config.Nodes))
	for _, n := range a.opt.Config.Nodes {
		m[n.Name] = n.Addr
	}
	return m
}
