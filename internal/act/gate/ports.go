package gate

import (
	"slices"

	"github.com/google/nftables"
)

// subtract returns what is in one short list and not in another.
func subtract[T comparable](from, what []T) []T {
	var left []T
	for _, x := range from {
		if !slices.Contains(what, x) {
			left = append(left, x)
		}
	}
	return left
}

// shared returns something that is in both lists.
func shared[T comparable](a, b []T) (T, bool) {
	for _, x := range a {
		if slices.Contains(b, x) {
			return x, true
		}
	}
	var none T
	return none, false
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
