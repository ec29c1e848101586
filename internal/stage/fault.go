package stage

import (
	"slices"

	"redkeep/internal/stage/cable"
)

// Direction is the way of frames on a host's cable, seen from the host.
type Direction uint8

// The directions of a cable.
const (
	// Both is what comes in and what goes out.
	Both Direction = iota
	// Inbound is what the host would hear.
	Inbound
	// Outbound is what the host says.
	Outbound
)

// Cut cuts the host off, both ways. Connections stay as they are and hear nothing, as with a pulled cable behind a switch.
func (s *Stage) Cut(host string) error { return s.Lose(host, Both, 1) }

// CutInbound makes the host deaf: it hears nothing and is still heard.
func (s *Stage) CutInbound(host string) error { return s.Lose(host, Inbound, 1) }

// CutOutbound makes the host mute: it hears all and is not heard.
func (s *Stage) CutOutbound(host string) error { return s.Lose(host, Outbound, 1) }

// Lose drops a share (0 to 1) of the host's frames in one direction or both, each frame by its own chance. It comes on
// top of the faults that are there already; Heal takes it away.
func (s *Stage) Lose(host string, direction Direction, share float64) error {
	name := s.Host(host).name
	var faults []cable.Fault
	if direction != Outbound {
		faults = append(faults, cable.Fault{To: name, Loss: share})
	}
	if direction != Inbound {
		faults = append(faults, cable.Fault{From: name, Loss: share})
	}
	return s.addFaults(faults...)
}

// CutPath cuts what one host sends to another, and only that.
func (s *Stage) CutPath(from, to string) error { return s.LosePath(from, to, 1) }

// CutBetween cuts two hosts off from each other; both still reach the others.
func (s *Stage) CutBetween(one, other string) error {
	one, other = s.Host(one).name, s.Host(other).name
	return s.addFaults(cable.Fault{From: one, To: other, Loss: 1}, cable.Fault{From: other, To: one, Loss: 1})
}

// LosePath drops a share (0 to 1) of what one host sends to another.
func (s *Stage) LosePath(from, to string, share float64) error {
	return s.addFaults(cable.Fault{From: s.Host(from).name, To: s.Host(to).name, Loss: share})
}

// Heal takes away every fault that names the host, also those of a path to or from it. It is no PowerOn.
func (s *Stage) Heal(host string) error {
	name := s.Host(host).name
	return s.setFaults(func(faults []cable.Fault) []cable.Fault {
		return slices.DeleteFunc(faults, func(f cable.Fault) bool { return f.From == name || f.To == name })
	})
}

// HealAll takes away every fault. Hosts without power stay without.
func (s *Stage) HealAll() error {
	return s.setFaults(func([]cable.Fault) []cable.Fault { return nil })
}

// Dropped returns how many frames were swallowed since the faults last changed.
func (s *Stage) Dropped() (uint64, error) {
	counts, err := s.sw.Dropped()
	var sum uint64
	for _, n := range counts {
		sum += n
	}
	return sum, err
}

func (s *Stage) addFaults(more ...cable.Fault) error {
	return s.setFaults(func(faults []cable.Fault) []cable.Fault { return append(faults, more...) })
}

// setFaults changes the list and hands the whole of it to the switch. A list that the switch refuses is not kept.
func (s *Stage) setFaults(change func([]cable.Fault) []cable.Fault) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	faults := change(slices.Clone(s.faults))
	if err := s.sw.Set(append(s.darkness(), faults...)); err != nil {
		return err
	}
	s.faults = faults
	return nil
}

// darken cuts a host off, or ends that, apart from all faults.
func (s *Stage) darken(host string, dark bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.dark[host]
	s.dark[host] = dark
	err := s.sw.Set(append(s.darkness(), s.faults...))
	if err != nil {
		s.dark[host] = before
	}
	return err
}

// darkness returns the faults that stand for hosts without power. s.mu must be held.
func (s *Stage) darkness() []cable.Fault {
	var faults []cable.Fault
	for host, dark := range s.dark {
		if dark {
			faults = append(faults, cable.Fault{From: host, Loss: 1}, cable.Fault{To: host, Loss: 1})
		}
	}
	return faults
}
