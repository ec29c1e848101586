package stage

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"redkeep/internal/stage/cable"
	"redkeep/internal/stage/namespace"
)

// Host is one host: a network namespace with lo and eth0, a directory, and the programs started in it.
type Host struct {
	stage *Stage
	name  string
	own   []netip.Prefix // IPv4 first, then IPv6 where this machine has it
	dir   string

	mu     sync.Mutex // guards all below; held while a program is started or the power is switched
	thread *namespace.Thread
	off    bool
	procs  []*Process
}

func newHost(s *Stage, name string, own []netip.Prefix) (*Host, error) {
	h := &Host{stage: s, name: name, own: own, dir: filepath.Join(s.dir.path, name)}
	if err := os.Mkdir(h.dir, 0o700); err != nil {
		return nil, fmt.Errorf("make host %s: %w", name, err)
	}
	thread, err := namespace.Open()
	if err != nil {
		return nil, fmt.Errorf("make host %s: %w", name, err)
	}
	h.thread = thread
	if err := s.sw.Plug(name, thread, own...); err != nil {
		thread.Close()
		return nil, fmt.Errorf("make host %s: %w", name, err)
	}
	return h, nil
}

// ReplaceDevice gives the host a new network device of the same name and addresses in place of the one it has, as an administrator does who
// makes a bond or a VLAN anew. Its programs go on.
func (h *Host) ReplaceDevice() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.stage.sw.Unplug(h.name); err != nil {
		return fmt.Errorf("replace the device of %s: %w", h.name, err)
	}
	if err := h.stage.sw.Plug(h.name, h.thread, h.own...); err != nil {
		return fmt.Errorf("replace the device of %s: %w", h.name, err)
	}
	return nil
}

// Name returns the host's name, which is also that of its port on the switch.
func (h *Host) Name() string { return h.name }

// Addr returns the host's own IPv4 address.
func (h *Host) Addr() netip.Addr { return h.own[0].Addr() }

// Addr6 returns the host's own IPv6 address; the zero Addr where this machine's kernel has no IPv6.
func (h *Host) Addr6() netip.Addr {
	if len(h.own) < 2 {
		return netip.Addr{}
	}
	return h.own[1].Addr()
}

// HardwareAddr returns the address of the host's eth0, by which a switch and an ARP answer know it.
func (h *Host) HardwareAddr() net.HardwareAddr { return cable.HardwareAddr(h.Addr()) }

// Port returns a port at the host's own IPv4 address.
func (h *Host) Port(port uint16) netip.AddrPort { return netip.AddrPortFrom(h.Addr(), port) }

// Dir returns the host's directory, which outlives a power-off.
func (h *Host) Dir() string { return h.dir }

// Do runs f on a thread that lives on the host: sockets that it opens are the host's. f must be short, and must neither
// start programs nor call other methods of the host.
func (h *Host) Do(f func()) error { return h.current().Do(f) }

// Dial connects from the host. The address must be numeric.
func (h *Host) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	return h.current().Dial(ctx, network, address)
}

// Listen opens a TCP listener on the host. The address must be numeric.
func (h *Host) Listen(ctx context.Context, address string) (net.Listener, error) {
	return h.current().Listen(ctx, address)
}

// Inode returns the number of the host's network namespace. A power-off changes it.
func (h *Host) Inode() uint64 { return h.current().Inode() }

// Namespace returns the path by which other processes enter the host: nsenter --net=PATH. A power-off changes it.
func (h *Host) Namespace() string { return h.current().Path() }

// Processes returns the programs that were started on the host and still run.
func (h *Host) Processes() []*Process {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.living())
}

// living forgets the programs that have ended. h.mu must be held.
func (h *Host) living() []*Process {
	h.procs = slices.DeleteFunc(h.procs, (*Process).Ended)
	return h.procs
}

func (h *Host) current() *namespace.Thread {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.thread
}
