package stage

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"sync"

	"golang.org/x/sys/unix"

	"redkeep/internal/stage/cable"
	"redkeep/internal/stage/clock"
	"redkeep/internal/stage/namespace"
)

// Forbidden is the error of Enter and New where this machine does not let this process make namespaces.
type Forbidden = namespace.Forbidden

// Enter brings the program to a place where New may succeed: main calls it first of all, with os.Args[1:]. If inside is
// false and err nil, the program has run elsewhere, in a user namespace of its own, and the caller exits with code.
func Enter(args []string) (inside bool, code int, err error) { return namespace.Enter(args) }

// Entered reports whether the hosts are in a user namespace that Enter made: who wants to a host has to enter that first.
func Entered() bool { return namespace.Entered() }

// ClientName is the name of the host that is no node: the one from which clients write.
const ClientName = "client"

// The addresses that no host has: for the group's clients, whatever keeps its master.
var (
	// VIP is an IPv4 address of the stage's network.
	VIP = netip.MustParseAddr("10.77.0.100")
	// VIP6 is an IPv6 address of the stage's network.
	VIP6 = netip.MustParseAddr("fd00:77::100")
)

// The networks of a stage: hosts from .11 (::11) on in the order given, the client at .9, guests from .8 downward. The
// last group of an IPv6 address is written as the last number of the IPv4 address.
var (
	network  = netip.MustParsePrefix("10.77.0.0/24")
	network6 = netip.MustParsePrefix("fd00:77::/64")
)

const (
	firstHost     = 11
	clientAddress = 9
	// hostLimit keeps the addresses below the VIP's, and guestLimit above zero.
	hostLimit, guestLimit = 80, 8
)

// hostName is what fits a device's name, a file's and a configuration's.
var hostName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,13}$`)

// Options are the choices of New. The zero value is three hosts.
type Options struct {
	// Hosts are the names of the nodes' hosts; default h1, h2, h3.
	Hosts []string
	// Guests are the names of further hosts that are no nodes, as the client is none: third parties that look on.
	Guests []string
	// Dir is where the stage's directory is made; default the system's directory for temporary files.
	Dir string
	// Keep leaves the stage's directory, with logs and data, after Close.
	Keep bool
}

// Stage is a set of hosts on one switch.
type Stage struct {
	started clock.Instant
	dir     *directory
	keep    bool
	sw      *cable.Switch
	hosts   []*Host // first the nodes', then the client, then the guests
	nodes   int
	once    sync.Once
	closed  error

	mu     sync.Mutex // guards faults; held while they are set
	faults []cable.Fault
	dark   map[string]bool // hosts without power, whose frames are dropped whatever the faults are
}

// New makes the hosts, connected and empty, in some tens of milliseconds. Its Close must be called; Run does. Where
// namespaces are forbidden the error is a *Forbidden.
func New(ctx context.Context, o Options) (*Stage, error) {
	names := o.Hosts
	if len(names) == 0 {
		names = []string{"h1", "h2", "h3"}
	}
	if err := checkNames(names, o.Guests); err != nil {
		return nil, err
	}
	if err := namespace.Probe(); err != nil {
		return nil, namespace.Explain(err)
	}
	dir, err := makeDirectory(o.Dir)
	if err != nil {
		return nil, err
	}
	s := &Stage{started: clock.Now(), dir: dir, keep: o.Keep, nodes: len(names), dark: map[string]bool{}}
	if err := s.build(ctx, names, o.Guests); err != nil {
		return nil, errors.Join(fmt.Errorf("build stage: %w", err), s.Close())
	}
	return s, nil
}

func checkNames(hosts, guests []string) error {
	if len(hosts) > hostLimit {
		return fmt.Errorf("build stage: %d hosts are more than %d", len(hosts), hostLimit)
	}
	if len(guests) > guestLimit {
		return fmt.Errorf("build stage: %d guests are more than %d", len(guests), guestLimit)
	}
	names := slices.Concat(hosts, guests)
	for i, name := range names {
		if !hostName.MatchString(name) || name == ClientName || name == "switch" || slices.Contains(names[:i], name) {
			return fmt.Errorf("build stage: %q can't be a host's name; use different ones of up to 14 small letters, digits and hyphens", name)
		}
	}
	return nil
}

func (s *Stage) build(ctx context.Context, hosts, guests []string) (err error) {
	if s.sw, err = cable.Open(); err != nil {
		return err
	}
	for i, name := range hosts {
		if err := s.addHost(ctx, name, firstHost+i); err != nil {
			return err
		}
	}
	for i, name := range append([]string{ClientName}, guests...) {
		if err := s.addHost(ctx, name, clientAddress-i); err != nil {
			return err
		}
	}
	for _, h := range s.hosts {
		if err := s.sw.Await(h.name, h.thread); err != nil {
			return err
		}
	}
	return nil
}

func (s *Stage) addHost(ctx context.Context, name string, number int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	h, err := newHost(s, name, addresses(number))
	if err != nil {
		return err
	}
	s.hosts = append(s.hosts, h)
	return nil
}

// addresses are those of the host with that number, IPv4 first.
func addresses(number int) []netip.Prefix {
	four := network.Addr().As4()
	four[3] = byte(number)
	all := []netip.Prefix{netip.PrefixFrom(netip.AddrFrom4(four), network.Bits())}
	if hasIPv6() {
		six := network6.Addr().As16()
		six[15] = byte(number/10<<4 | number%10)
		all = append(all, netip.PrefixFrom(netip.AddrFrom16(six), network6.Bits()))
	}
	return all
}

// hasIPv6 reports whether this machine's kernel has IPv6: some are started without.
func hasIPv6() bool {
	_, err := os.Stat("/proc/net/if_inet6")
	return err == nil
}

// Run makes a stage, calls f, and takes the stage away: when f returns, when it panics, and on SIGINT, SIGTERM and
// SIGHUP, which cancel f's context. f must then return.
func Run(ctx context.Context, o Options, f func(context.Context, *Stage) error) (err error) {
	ctx, stop := signal.NotifyContext(ctx, unix.SIGINT, unix.SIGTERM, unix.SIGHUP)
	defer stop()
	s, err := New(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return f(ctx, s)
}

// Host returns the host of that name. An unknown name is a mistake in the caller, and panics.
func (s *Stage) Host(name string) *Host {
	for _, h := range s.hosts {
		if h.name == name {
			return h
		}
	}
	panic(fmt.Sprintf("stage: there is no host %q", name))
}

// Hosts returns the nodes' hosts in order, without the client and the guests.
func (s *Stage) Hosts() []*Host { return slices.Clone(s.hosts[:s.nodes]) }

// Client returns the host that is no node.
func (s *Stage) Client() *Host { return s.Host(ClientName) }

// Started returns when New was called.
func (s *Stage) Started() clock.Instant { return s.started }

// Dir returns the stage's directory.
func (s *Stage) Dir() string { return s.dir.path }

// Keep leaves the stage's directory, with logs and data, after Close. It must not be called at the same time as Close.
func (s *Stage) Keep() { s.keep = true }

// Close kills every program of every host, takes hosts and switch away and, unless told to keep it, the directory. It
// may be called again. An error names what is left.
func (s *Stage) Close() error {
	s.once.Do(func() {
		var left []error
		for _, h := range s.hosts {
			left = append(left, h.close())
		}
		if s.sw != nil {
			s.sw.Close()
		}
		s.closed = errors.Join(append(left, s.dir.close(s.keep))...)
	})
	return s.closed
}
