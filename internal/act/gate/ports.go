package gate

import (
	"slices"

	"github.com/google/nftables"
)

// splitPorts returns what leads from one sorted list to another: the ports that go, and those that come.
func splitPorts(from, to []uint16) (gone, fresh []uint16) {
	for _, p := range from {
		if !slices.Contains(to, p) {
			gone = append(gone, p)
		}
	}
	for _, p := range to {
		if !slices.Contains(from, p) {
			fresh = append(fresh, p)
		}
	}
	return gone, fresh
}

// shared returns a port that is in both lists.
func shared(a, b []uint16) (uint16, bool) {
	for _, p := range a {
		if slices.Contains(b, p) {
			return p, true
		}
	}
	return 0, false
}

func (w Want) watchedPorts() []uint16 {
	if !w.Watch {
		return nil
	}
	return w.Ports
}

// portKeys are the elements of a set of ports.
func portKeys(ports []uint16) []nftables.SetElement {
	out := make([]nftables.SetElement, len(ports))
	for i, p := range ports {
		out[i].Key = networkOrder.AppendUint16(nil, p)
	}
	return out
}
