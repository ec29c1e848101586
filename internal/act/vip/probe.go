package vip

import (
	"context"
	"errors"
	"fmt"
	"time"

	"redkeep/internal/speak/neighbour"
)

// A probe asks twice, so that one lost frame does not answer for a silent holder, and waits as long after the second as
// after the first. A kernel answers within 10 us on a segment of virtual cables, and within a millisecond on one of switches; the
// holder's agent or server need not live for it. 5 ms is what the rest of an election takes anyway, in parallel with which
// this runs: longer would delay the address. A holder that was missed is heard when the address is announced.
const (
	questions = 2
	listenFor = 2500 * time.Microsecond
)

// Probe asks the segment whether somebody else has one of the addresses, and returns at the first answer; by says who:
// "10.77.0.100 is at 02:42:0a:4d:00:0c". Silence takes it 5 ms. An address that an earlier agent left on this host is not
// taken, but somebody else may have it too, and that is heard.
//
// With an error it is not known: a device is down or no Ethernet (ErrLinkDown, ErrNoSegment), the process may not
// (ErrMute), or Run does not run (ErrNotRunning). Any answer counts nevertheless.
func (h *Hand) Probe(ctx context.Context) (taken bool, by string, err error) {
	answers := make(chan string, 1)
	if err := h.ask(answers); err != nil {
		return false, "", fmt.Errorf("probe for the addresses of %s: %w", h.cfg.Group, err)
	}
	defer h.forget(answers)
	timer := time.NewTimer(listenFor)
	defer timer.Stop()
	for range questions {
		var asked bool
		if asked, err = h.question(); !asked {
			break // Silence would mean nothing.
		}
		timer.Reset(listenFor)
		select {
		case by = <-answers:
			return true, by, nil
		case <-ctx.Done():
			return false, "", fmt.Errorf("probe for the addresses of %s: %w", h.cfg.Group, ctx.Err())
		case <-timer.C:
		}
	}
	if err != nil {
		return false, "", fmt.Errorf("probe for the addresses of %s: %w", h.cfg.Group, err)
	}
	return false, "", nil
}

// ask has answers delivered to a channel.
func (h *Hand) ask(answers chan string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.running {
		return ErrNotRunning
	}
	h.askers[answers] = struct{}{}
	return nil
}

func (h *Hand) forget(answers chan string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.askers, answers)
}

// question sends one probe for each address, and reports whether any left.
func (h *Hand) question() (asked bool, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var errs []error
	for _, a := range h.addresses {
		err := h.unheard(a)
		if err == nil {
			d, _ := h.carrier(a) // unheard has found it
			err = h.segment.send(a.Addr, d.index, neighbour.Probe(a.Addr, d.mac))
		}
		asked = asked || err == nil
		errs = append(errs, err)
	}
	return asked, errors.Join(errs...)
}
