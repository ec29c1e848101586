package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"redkeep/internal/act/gate"
	"redkeep/internal/act/neighbours"
	"redkeep/internal/act/peer"
	"redkeep/internal/act/reach"
	"redkeep/internal/act/store"
	"redkeep/internal/picture"
	"redkeep/internal/show/api"
	"redkeep/internal/speak/config"
	"redkeep/internal/words"
)

// Options is what an agent is started with.
type Options struct {
	Config *config.Config
	Self   config.Node
	// StateDir keeps what survives a restart.
	StateDir string
	Version  string
	Log      *slog.Logger
	// Ready is called once, when the agent answers; nil is nobody.
	Ready func()
	// Trace is called by the loop with every decision and refusal; nil is nobody. It must not block.
	Trace func(words.Group, words.Reason)
}

// Agent is one node at work.
type Agent struct {
	opt     Options
	log     *slog.Logger
	started time.Time

	store *store.Store
	peer  *peer.Peer
	gate  *gate.Hand // nil where the kernel has none for us
	soft  error      // why gate is nil
	// proved says that another agent has found the gate to hold; the measuring goroutine's.
	proved bool
	// damage is what another program last did to the gate; nil where none has.
	damage atomic.Pointer[damage]
	face   *leaseFace
	ask    *api.Handler
	// misreads are the peers whose language was not understood, so that each is told of once.
	misreads sync.Map

	gates  *queue
	groups map[words.Group]*groupWork
	order  []words.Group

	// reach watches a pair's tie-breakers; nil where there are none.
	reach *reach.Watch
	// neighbours has the kernel ask again for peers that are silent; nil where it can't.
	neighbours *neighbours.Hand

	alarm   *alarm
	mail    chan letter
	ended   chan struct{}
	dropped atomic.Uint64
	picture atomic.Pointer[picture.Node]
	// published is when the picture was last made, decided whether something was decided since; the loop's.
	published time.Duration
	decided   bool
	// backlog are events of the loop's own making, for its next turn; the loop's.
	backlog []letter
	asks    asks
	finish  chan error
}

// Run is the life of an agent: until a machine has ended by request, or something that it can't do without has failed.
// stop ends it with a handover, suspend leaves everything as it is for a restart.
func Run(ctx context.Context, opt Options, stop, suspend <-chan struct{}) error {
	a := &Agent{
		opt: opt, log: opt.Log, started: time.Now(), gates: newQueue(), groups: map[words.Group]*groupWork{},
		mail: make(chan letter, mailboxSize), ended: make(chan struct{}), finish: make(chan error, 1),
	}
	a.asks.waiting = map[uint64]*asked{}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := a.open(ctx); err != nil {
		a.close()
		return err
	}
	defer a.close()
	var err error
	if a.alarm, err = newAlarm(); err != nil {
		return err
	}
	work, ctx := errgroup.WithContext(ctx)
	a.start(ctx, work)
	work.Go(func() error { return a.alarm.run(ctx) })
	work.Go(func() error { return a.watchEnd(ctx, stop, suspend) })
	work.Go(func() error {
		defer close(a.ended)
		return a.loop(ctx)
	})
	if opt.Ready != nil {
		opt.Ready()
	}
	err = work.Wait()
	if errors.Is(err, errEnded) || errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// errEnded says that the agent has ended as it was asked to.
var errEnded = errors.New("ended")

// open opens what outlives a turn, in the order in which one needs the other: the store knows the session that the links begin with.
func (a *Agent) open(ctx context.Context) error {
	var err error
	if a.store, err = store.Open(a.opt.StateDir); err != nil {
		return fmt.Errorf("open the state directory %s: %w", a.opt.StateDir, err)
	}
	if err := a.openGate(ctx); err != nil {
		return err
	}
	a.dropLeftovers(ctx)
	if err := a.openGroups(); err != nil {
		return err
	}
	if err := a.openReach(); err != nil {
		return err
	}
	a.ask = api.New(api.Config{Picture: a.newest, History: a.history, Definition: a.definition, Post: a.postRequest})
	a.publish()
	if err := a.openFace(ctx); err != nil {
		return err
	}
	a.openNeighbours()
	return a.openPeer(ctx)
}

func (a *Agent) openPeer(ctx context.Context) error {
	c := a.opt.Config
	peers := map[words.Node]netip.AddrPort{}
	for _, n := range c.Nodes {
		peers[n.Name] = netip.AddrPortFrom(n.Addr, c.PeerPort)
	}
	var err error
	a.peer, err = peer.Open(ctx, peer.Config{
		Self: a.opt.Self.Name, Session: a.store.Session(),
		Listen: netip.AddrPortFrom(a.opt.Self.Addr, c.PeerPort), Peers: peers,
		Secret: []byte(c.Secret.Reveal()), Log: a.log,
		OnDatagram: a.onDatagram, OnAsk: a.onAsk, OnOutlived: a.onOutlived, OnSilence: a.onSilence,
	})
	if err != nil {
		return fmt.Errorf("open the links to the other agents: %w", err)
	}
	return nil
}

// start starts a goroutine for each hand and face; each ends with the context.
func (a *Agent) start(ctx context.Context, work *errgroup.Group) {
	work.Go(func() error { return a.gates.run(ctx) })
	for _, name := range a.order {
		g := a.groups[name]
		work.Go(func() error { return g.disk.run(ctx) })
		if g.server != nil {
			work.Go(func() error { return g.orders.run(ctx) })
			work.Go(func() error { return g.resets.run(ctx) })
			work.Go(func() error { return g.server.Run(ctx) })
		}
		if g.vip != nil {
			work.Go(func() error { return g.vips.run(ctx) })
			work.Go(func() error { return g.probes.run(ctx) })
			work.Go(func() error { return g.vip.Run(ctx) })
		}
	}
	a.startPair(ctx, work)
	a.startNeighbours(ctx, work)
	work.Go(func() error { return a.face.serve(ctx) })
	work.Go(func() error { return a.measureFence(ctx) })
}

// close closes what open opened; what the kernel has stays as it is.
func (a *Agent) close() {
	if a.peer != nil {
		a.peer.Close()
	}
	if a.face != nil {
		a.face.close()
	}
	if a.reach != nil {
		a.reach.Close()
	}
	if a.neighbours != nil {
		a.neighbours.Close()
	}
	for _, g := range a.groups {
		if g.vip != nil {
			_ = g.vip.Close()
		}
		if g.segment != nil {
			g.segment.close()
		}
	}
	if a.gate != nil {
		_ = a.gate.Close()
	}
	if a.store != nil {
		_ = a.store.Close()
	}
}

// onOutlived stops the agent: the others know a later life of this node, so what its store says is not the last that it said.
func (a *Agent) onOutlived(by words.Node, heard words.Session) {
	err := a.store.Outgrow(heard)
	a.fail(fmt.Errorf("%s has heard session %d of this node, which is later than this one (%d): the state directory was restored or copied; "+
		"start the agent again, it will ask the others before it votes: %w", by, heard, a.store.Session(), errors.Join(errOutlived, err)))
}

var errOutlived = errors.New("state directory is older than this node")

// fail ends the agent with an error.
func (a *Agent) fail(err error) {
	select {
	case a.finish <- err:
	default:
	}
}
