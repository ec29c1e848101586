package sentinel

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"runtime/debug"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"redkeep/internal/act/script"
	"redkeep/internal/act/sentinelfile"
	"redkeep/internal/act/sockets"
	queue "redkeep/internal/decide/script"
	core "redkeep/internal/decide/sentinel"
	face "redkeep/internal/show/sentinel"
	"redkeep/internal/speak/acl"
	"redkeep/internal/speak/logline"
	"redkeep/internal/speak/sentinelconf"
	"redkeep/internal/words"
)

// Options are what a Sentinel runs with.
type Options struct {
	// Path is the file, absolute; Conf is what is in it. The working directory is the one that it wants.
	Path string
	Conf *sentinelconf.Conf
	// Version is Redkeep's own.
	Version string
	// Log writes one line and does not wait.
	Log func(level logline.Level, text string)
	// SetLogLevel changes which lines are written.
	SetLogLevel func(least logline.Level)
	// Ready is called once, when clients can connect.
	Ready func()
	// Flavor is the release whose commands clients find.
	Flavor face.Flavor
	// Observe runs a Sentinel that changes nothing anywhere and says what it would have done.
	Observe bool
}

// Crash is the end that SENTINEL SIMULATE-FAILURE asks for.
type Crash struct{}

// Error says so.
func (Crash) Error() string { return "crash as SENTINEL SIMULATE-FAILURE has asked for" }

// ExitCode is the status with which the process is to exit.
func (Crash) ExitCode() int { return 99 }

// process is one Sentinel that runs.
type process struct {
	options Options
	conf    *sentinelconf.Conf
	loop    *sockets.Loop
	machine *core.Machine
	face    *face.Face
	users   *acl.Users
	file    *sentinelfile.File
	// accounts is the file of users, nil for none.
	accounts *sentinelfile.File
	// unsaved is the ticket of the last save that is wanted, 0 for none; saving says that one is being written.
	unsaved uint64
	saving  atomic.Bool
	layout  layout

	scripts *queue.Queue
	hand    *script.Hand
	links   map[core.LinkID]*link
	// greetings are what Sentinels said lately.
	greetings greetings
	roots     *x509.CertPool // that whoever speaks TLS is signed by; nil without TLS
	secure    *tls.Config    // of connections to others; nil for none
	from      netip.Addr     // where those come from; the zero value where the kernel chooses
	id        string
	started   time.Time

	// events wait for the one that is being stepped; answers are those of clients' requests that wait for theirs.
	events   []core.Event
	stepping bool
	// stepped is when the machine last had a turn; pressing is what it said then.
	stepped  words.Instant
	pressing bool
	answers  map[uint64]func(core.Answer)
	lastAsk  uint64
	end      context.CancelCauseFunc
	wire     []byte // what is being encoded
	said     []byte // a greeting in it
}

// longestSave is how long an end waits for what is being written: shorter than the patience of whoever waits for the end.
const longestSave = 3 * time.Second

// Run is a Sentinel until ctx ends or a client shuts it down, which are no errors. One that the disk holds up for long is.
func Run(ctx context.Context, o Options) (err error) {
	if os.Getenv("GOGC") == "" {
		defer debug.SetGCPercent(debug.SetGCPercent(garbage))
	}
	p := &process{
		options: o, conf: o.Conf, links: map[core.LinkID]*link{}, answers: map[uint64]func(core.Answer){},
		scripts: queue.New(queue.Defaults()), started: time.Now(), id: randomID(),
	}
	if p.file, err = sentinelfile.New(o.Path); err != nil {
		return err
	}
	if o.Conf.ACLFile != "" {
		if p.accounts, err = sentinelfile.New(o.Conf.ACLFile); err != nil {
			return err
		}
	}
	defer func() { err = errors.Join(err, p.closeFiles()) }()
	if p.loop, err = sockets.New(sockets.Config{
		Now: now, Woken: p.onWoken, Turn: p.turn, Batch: batch,
		KeepAlive: o.Conf.TCPKeepAlive, Queue: 1 << 14,
	}); err != nil {
		return fmt.Errorf("make the loop of connections: %w", err)
	}
	ctx, p.end = context.WithCancelCause(ctx)
	defer p.end(nil)
	if err := p.prepare(); err != nil {
		p.end(err)
		_ = p.loop.Run(ctx) // gives back what it took
		return err
	}
	err = p.loop.Run(ctx)
	p.saving.Store(false) // what still waits for an earlier save comes after it
	p.save()
	if err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	if crash := (Crash{}); errors.As(context.Cause(ctx), &crash) {
		return crash
	}
	return nil
}

// closeFiles waits for what is being written.
func (p *process) closeFiles() error {
	until := time.Now().Add(longestSave)
	err := p.file.Close(longestSave)
	if p.accounts != nil {
		err = errors.Join(err, p.accounts.Close(time.Until(until)))
	}
	return err
}

// garbage is how much of it there may be, in percent of what is used: most of that is the last INFO of each server, and to collect the
// little that comes up beside it more often than Go would costs next to nothing.
const garbage = 50

// batch is how long news of links, and timers, may wait for more while nothing is wrong: a thousand groups cost half then. In an outage,
// and when another Sentinel asks for a vote, nothing waits. It is below what act/sockets waits for without Go's scheduler.
const batch = 4 * time.Millisecond

// prepare makes the machine and listens; the first events are then waiting for the loop.
func (p *process) prepare() (err error) {
	if p.hand, err = script.New(p.onScript); err != nil {
		return err
	}
	if err = p.prepareTLS(); err != nil {
		return err
	}
	if p.from, err = p.origin(); err != nil {
		return err
	}
	fresh := p.conf.MyID == ""
	if fresh || p.options.Observe {
		p.conf.MyID = randomID()
	}
	p.log(logline.Notice, "Sentinel ID is "+p.conf.MyID)
	if p.options.Observe {
		p.log(logline.Notice, "Observing: nothing is changed here or elsewhere, and what would have been done is told on would-* lines")
	} else if p.file.Sweep(); p.file.Claim() {
		p.log(logline.Warning, "WARNING: another process uses "+p.options.Path+" too, and each overwrites what the other keeps there; end one of the two")
	}
	state := stateOf(p.conf)
	lookupAll(state.Groups)
	p.machine = core.New(p.setup(), state)
	if err := p.admit(); err != nil {
		return err
	}
	clients := face.Config{
		Source: source{p}, Clients: p.conf.MaxClients, OtherSentinel: p.machine.OtherAt, Flavor: p.options.Flavor, Users: p.users,
		Denials: acl.NewLog(p.conf.ACLLogMaxLen), Renames: p.renames(), Now: p.loop.Now,
	}
	if p.conf.ACLFile != "" {
		clients.UserFile = userFile{p}
	}
	p.face = face.New(clients)
	if err := p.listen(); err != nil {
		return err
	}
	p.loop.Post(func() {
		p.step(core.Began{})
		if fresh {
			p.ask(core.Flush{}, func(core.Answer) {})
		}
		p.options.Ready()
	})
	return nil
}

func (p *process) setup() core.Setup {
	s := core.Setup{
		Random: rand.Uint64, Port: p.conf.Port, Password: p.conf.RequirePass.Reveal(),
		Executable: sentinelfile.Host{}.Executable, Observe: p.options.Observe,
	}
	if p.secure != nil {
		s.TLSPort = p.conf.TLSPort
	}
	return s
}

func (p *process) log(level logline.Level, text string) { p.options.Log(level, text) }

// step tells the machine of an event and does what it wants. What comes up while that is being done waits its turn.
func (p *process) step(ev core.Event) {
	p.events = append(p.events, ev)
	if p.stepping {
		return
	}
	p.stepping, p.stepped = true, p.loop.Now()
	for i := 0; i < len(p.events); i++ {
		for _, a := range p.machine.Step(p.loop.Now(), p.events[i]) {
			p.act(a)
		}
	}
	clear(p.events)
	p.events = p.events[:0]
	p.stepping = false
}

// onWoken is called when the machine or the scripts want a turn.
func (p *process) onWoken(words.Instant) { p.step(core.Passed{}) }

// turn ends a batch: scripts begin, who waited through a pause goes on, and the next wake-up is set.
func (p *process) turn() {
	at := p.loop.Now()
	if p.scripts.Wake() <= at {
		p.runScripts(p.scripts.Tick(at))
	}
	p.save()
	if pressing := p.machine.Pressing(); pressing != p.pressing {
		p.pressing = pressing
		p.loop.Hurry(pressing)
	}
	wake := p.machine.Wake()
	if !p.pressing && wake > p.stepped {
		wake = max(wake, p.stepped.Add(batch)) // what is due until then is done at once
	}
	p.face.Tick(at)
	p.loop.SetWake(words.Earliest(wake, p.scripts.Wake(), p.face.Wake()))
}

// now reads the clock that goes on while a host sleeps and is set by nobody.
func now() words.Instant {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &t); err != nil {
		panic(err) // every Linux that can run this program has the clock
	}
	return words.Instant(t.Nano())
}

// randomID returns 40 characters by which a process or a Sentinel is known.
func randomID() string {
	const digits = "0123456789abcdef"
	b := make([]byte, 40)
	for i := range b {
		b[i] = digits[rand.N(16)]
	}
	return string(b)
}
