package pair

import (
	"slices"

	"redkeep/internal/decide"
	"redkeep/internal/picture"
	"redkeep/internal/words"
)

// Picture returns what this node sees of the group. The segment is no node: what people should know of its vote is among the reasons.
func (m *Machine) Picture() picture.Group {
	p := m.node.Picture()
	p.Pair = true
	p.Members = slices.DeleteFunc(p.Members, func(x picture.Member) bool { return x.Node == Segment })
	p.Why = slices.DeleteFunc(slices.Clone(p.Why), func(r words.Reason) bool { return r.Node == Segment || r.Other == Segment })
	if why := m.forged(); !why.Zero() {
		p.Why = append(p.Why, why)
	}
	why := m.refusal()
	here := p.Writable && p.Master == m.setup.Self
	switch {
	case why.Zero(), why.Code == words.SegmentTaken && p.Writable, why.Code == words.OtherUnheard && here:
		// It gives what it is asked for; or a master is heard, as it should be; or this is the master, by a person's choice.
		return p
	}
	// A majority that is missing is what follows from it, and recovery no way out.
	p.Why = slices.DeleteFunc(p.Why, func(r words.Reason) bool { return r.Code == words.NoMajority })
	p.Why = append(p.Why, why)
	if !here || why.Code == words.AdvertWrong {
		p.Ready = false
	}
	return p
}

// inWords says of a missing majority why the segment gives no vote, which is what a person can do something about.
func (m *Machine) inWords(a decide.Action) decide.Action {
	if n, ok := a.(decide.Note); ok && n.Reason.Code == words.NoMajority {
		if why := m.refusal(); !why.Zero() {
			return decide.Note{Reason: why}
		}
	}
	return a
}
