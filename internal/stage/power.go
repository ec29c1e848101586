package stage

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"redkeep/internal/stage/namespace"
)

// killLimit bounds the wait for killed programs. The kernel needs some milliseconds; a program that waits for a disk more.
const killLimit = 5 * time.Second

// PowerOff pulls the host's plug: its frames stop at once, then every program on it gets SIGKILL, whoever started it,
// and the link goes down. No connection's end reaches the others. What the host's kernel knew (addresses, packet filter,
// sockets) is gone at PowerOn; its directory is kept. It returns when no program is left.
func (s *Stage) PowerOff(host string) error {
	h := s.Host(host)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.off {
		return nil
	}
	if err := s.darken(host, true); err != nil {
		return fmt.Errorf("power %s off: %w", host, err)
	}
	h.off = true
	if err := errors.Join(h.killAll(), s.sw.Darken(host)); err != nil {
		return fmt.Errorf("power %s off: %w", host, err)
	}
	return nil
}

// PowerOn boots the host: a new kernel state with the same addresses and hardware address, the link up, no packet filter
// and no program. What starts at boot is for the caller to start.
func (s *Stage) PowerOn(host string) error {
	h := s.Host(host)
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.off {
		return nil
	}
	if err := h.boot(); err != nil {
		return fmt.Errorf("power %s on: %w", host, err)
	}
	if err := s.darken(host, false); err != nil {
		return fmt.Errorf("power %s on: %w", host, err)
	}
	h.off = false
	return nil
}

// boot exchanges the namespace for a new one: in the old one the dead programs' sockets still send their farewells, which
// a host that lost its power can't. h.mu must be held.
func (h *Host) boot() error {
	thread, err := namespace.Open()
	if err != nil {
		return err
	}
	if err := h.stage.sw.Unplug(h.name); err != nil {
		thread.Close()
		return err
	}
	if err := h.stage.sw.Plug(h.name, thread, h.own...); err != nil {
		thread.Close()
		return err
	}
	h.thread.Close()
	h.thread = thread
	return h.stage.sw.Await(h.name, thread)
}

// Freeze stops every program on the host (SIGSTOP), as a host that swaps or a paused virtual machine; the host's kernel
// goes on answering. Thaw continues them.
func (s *Stage) Freeze(host string) error { return s.Host(host).signalAll("freeze", unix.SIGSTOP) }

// Thaw continues every program on the host (SIGCONT).
func (s *Stage) Thaw(host string) error { return s.Host(host).signalAll("thaw", unix.SIGCONT) }

func (h *Host) signalAll(verb string, signal unix.Signal) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, pid := range h.inhabitants() {
		if err := unix.Kill(pid, signal); err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("%s %s: signal process %d: %w", verb, h.name, pid, err)
		}
	}
	return nil
}

// inhabitants returns first the programs that the stage started, then those that they started. h.mu must be held.
func (h *Host) inhabitants() []int {
	var pids []int
	for _, p := range h.living() {
		pids = append(pids, p.Pid())
	}
	for _, pid := range h.thread.Inhabitants() {
		if !slices.Contains(pids, pid) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// killAll ends every program on the host and waits until it is gone. A program may start another while it is killed, so
// it looks again until nobody is left. h.mu must be held.
func (h *Host) killAll() error {
	for _, p := range h.living() {
		p.signalGroup(unix.SIGKILL)
	}
	limit := time.NewTimer(killLimit)
	defer limit.Stop()
	if err := h.killStrays(limit.C); err != nil {
		return err
	}
	for _, p := range h.living() {
		select {
		case <-p.Done():
		case <-limit.C:
			return fmt.Errorf("kill programs on %s: process %d is left after %v", h.name, p.Pid(), killLimit)
		}
	}
	return nil
}

func (h *Host) killStrays(limit <-chan time.Time) error {
	again := time.NewTicker(time.Millisecond)
	defer again.Stop()
	for {
		strays := h.thread.Inhabitants()
		if len(strays) == 0 {
			return nil
		}
		for _, pid := range strays {
			unix.Kill(pid, unix.SIGKILL) // one that is gone meanwhile is what is wanted
		}
		select {
		case <-again.C:
		case <-limit:
			return fmt.Errorf("kill programs on %s: processes %v are left after %v", h.name, strays, killLimit)
		}
	}
}

// close ends the host for good.
func (h *Host) close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	err := h.killAll()
	h.thread.Close()
	return err
}
