package observer

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"redkeep/internal/stage"
	"redkeep/internal/stage/clock"
	"redkeep/internal/stage/ether"
	"redkeep/internal/stage/tap"
)

const (
	// DefaultInterval is often enough to catch what lasts some milliseconds, and costs some 5 % of a core.
	DefaultInterval = 5 * time.Millisecond
	// claimLimit is about ten minutes of three hosts' answers; it costs some 80 MB.
	claimLimit = 1 << 20
	// firstPort and ports are where knocks come from: below those that the kernel gives to real connections.
	firstPort, ports = 1024, 30000
)

// ErrLimit is the end of an observer whose log is full.
var ErrLimit = errors.New("the observer's log is full")

// Options are the choices for an observer.
type Options struct {
	// Stage is where it looks, and Host the host from which: a guest that does nothing else.
	Stage *stage.Stage
	Host  *stage.Host
	// Addresses are those that it asks for: of IPv4, IPv6 or both.
	Addresses []netip.Addr
	// Port, if not 0, is tried on each of the nodes' hosts by its hardware address: also where no cache leads to.
	Port uint16
	// Interval is the time between two questions; default 5 ms.
	Interval time.Duration
}

// Claim is a frame by which a host showed that it has one of the addresses.
type Claim struct {
	// At is when it came in, by the kernel.
	At clock.Instant
	// By is the host whose hardware address it names: its name, or the address of one that is no host of the stage.
	By   string
	Addr netip.Addr
	Kind ether.Kind
}

// String says it in a line.
func (c Claim) String() string { return fmt.Sprintf("%v %s %s %s", c.At, c.By, c.Kind, c.Addr) }

// Observer asks for addresses without pause and notes who answers.
type Observer struct {
	options Options
	tap     *tap.Tap
	pacer   *clock.Pacer
	names   map[[6]byte]string
	tasks   sync.WaitGroup

	mu      sync.Mutex // guards all below
	log     []Claim
	err     error
	stopped bool
}

// Watch starts an observer. Its Stop must be called.
func Watch(o Options) (*Observer, error) {
	if o.Interval == 0 {
		o.Interval = DefaultInterval
	}
	w := &Observer{options: o, names: names(o.Stage)}
	var err error
	if gone := o.Host.Do(func() { w.tap, err = tap.Open() }); gone != nil {
		err = gone
	}
	if err != nil {
		return nil, fmt.Errorf("watch from %s: %w", o.Host.Name(), err)
	}
	if w.pacer, err = clock.NewPacer(); err != nil {
		w.tap.Close()
		return nil, fmt.Errorf("watch from %s: %w", o.Host.Name(), err)
	}
	w.tasks.Go(w.ask)    // ends at Stop
	w.tasks.Go(w.listen) // ends at Stop
	return w, nil
}

// names are the hosts of the stage by their hardware addresses.
func names(s *stage.Stage) map[[6]byte]string {
	found := map[[6]byte]string{}
	for _, h := range append(s.Hosts(), s.Client()) {
		found[[6]byte(h.HardwareAddr())] = h.Name()
	}
	return found
}

// Claims returns what was noted so far, in order. The slice must not be changed.
func (w *Observer) Claims() []Claim {
	w.mu.Lock()
	defer w.mu.Unlock()
	// The log is only ever appended to, so what is in this slice stays as it is.
	return w.log[:len(w.log):len(w.log)]
}

// Stop ends the observer and returns what it noted, and why it ended before if it did. It may be called again.
func (w *Observer) Stop() ([]Claim, error) {
	w.mu.Lock()
	w.stopped = true
	w.mu.Unlock()
	w.pacer.Close()
	w.tap.Close()
	w.tasks.Wait()
	return w.Claims(), w.err
}

// fail notes why the observer ended, if it was not told to. It says whether it must end.
func (w *Observer) fail(err error) bool {
	if err == nil {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.stopped && w.err == nil {
		w.err = err
	}
	return true
}

// ask sends the questions, at each interval all of them.
func (w *Observer) ask() {
	me := w.options.Host.HardwareAddr()
	for n := uint32(0); ; n++ {
		if w.fail(w.pacer.Wait(clock.Now().Add(w.options.Interval))) {
			return
		}
		for _, address := range w.options.Addresses {
			own := w.own(address)
			if w.fail(w.tap.Write(ether.Ask(me, own, address))) {
				return
			}
			if w.options.Port == 0 {
				continue
			}
			from := netip.AddrPortFrom(own, firstPort+uint16(n%ports))
			for _, h := range w.options.Stage.Hosts() {
				if w.fail(w.tap.Write(ether.Knock(me, h.HardwareAddr(), from, netip.AddrPortFrom(address, w.options.Port), n))) {
					return
				}
			}
		}
	}
}

// own is the observer's address of that address's family.
func (w *Observer) own(of netip.Addr) netip.Addr {
	if of.Is6() {
		return w.options.Host.Addr6()
	}
	return w.options.Host.Addr()
}

// listen notes the answers.
func (w *Observer) listen() {
	for {
		frame, at, err := w.tap.Read()
		if w.fail(err) {
			return
		}
		said, ok := ether.Parse(frame)
		if !ok || !w.asked(said.Addr) {
			continue
		}
		if said.Kind == ether.Accepts && !w.thank(said) {
			return
		}
		if w.fail(w.note(at, said)) {
			return
		}
	}
}

func (w *Observer) asked(address netip.Addr) bool {
	for _, one := range w.options.Addresses {
		if one == address {
			return true
		}
	}
	return false
}

// thank resets the connection that was accepted, at the host that did: the reset of this host's own kernel goes where its
// cache leads, which may be another.
func (w *Observer) thank(said ether.Claim) bool {
	from := netip.AddrPortFrom(w.own(said.Addr), said.Port)
	to := netip.AddrPortFrom(said.Addr, w.options.Port)
	return !w.fail(w.tap.Write(ether.HangUp(w.options.Host.HardwareAddr(), said.MAC(), from, to, said.Ack)))
}

func (w *Observer) note(at clock.Instant, said ether.Claim) error {
	by, known := w.names[said.Hardware]
	if !known {
		by = net.HardwareAddr(said.Hardware[:]).String()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.log) == claimLimit {
		return ErrLimit
	}
	w.log = append(w.log, Claim{At: at, By: by, Addr: said.Addr, Kind: said.Kind})
	return nil
}
