package sim

import (
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/words"
)

// lateTrials are about grants, beats and releases that come late, and about lists of voters that differ.
func lateTrials() []trial {
	quick := func(script func(*World)) Plan { return Plan{Script: script, NoRest: true} }
	five := Plan{Voters: 5, NoRest: true, Length: 9 * time.Second}
	monotone, members := five, five
	monotone.Data, monotone.Script = 3, olderGrant
	members.Script = editedFile
	return []trial{
		{rule: decide.HoldFromSend, plan: quick(slowGrants)},
		{rule: decide.ReleaseFinal, plan: quick(grantsAfterRelease)},
		{rule: decide.GrantMonotone, plan: monotone},
		{rule: decide.PersistedMembers, plan: members},
	}
}

// slowGrants has c's grants take most of a lease to come back to a; then a is cut off.
func slowGrants(w *World) {
	w.net.mute(0, 1)
	w.net.paths[2][0].slow = ms(600)
	w.after(ms(3000), func() { w.net.cut(0, 2, true) })
}

// grantsAfterRelease has a hand over to b; grants that were under way come to a after its release, and nothing else does.
func grantsAfterRelease(w *World) {
	released := false
	w.net.tap = func(from, to *host, m parcel) bool {
		if _, ok := m.message.(decide.Release); ok && from == a(w) {
			released = true
		}
		if _, ok := m.message.(decide.Grant); ok && to == a(w) && !released {
			w.after(ms(150), func() { a(w).receive(from, m) })
			return true
		}
		return released && to == a(w)
	}
	w.after(ms(500), func() { w.request(a(w), 0, decide.Switchover{To: b(w).name}, nil) })
}

// olderGrant is three epochs, with five voters of whom n4 and n5 have no servers. a holds the first, and c alone hears of it; b
// wins the second without c's vote, and c grants it. Then a's last beat and its release come to c.
func olderGrant(w *World) {
	d, e := w.hosts[3], w.hosts[4]
	var beats, releases []parcel
	late, since := false, w.now
	w.net.tap = func(from, to *host, m parcel) bool {
		if from != a(w) || to != c(w) || late {
			return false
		}
		switch m.message.(type) {
		case decide.Beat:
			beats = append(beats, m)
			return w.now > since+ms(500)
		case decide.Release:
			releases = append(releases, m)
			return true
		}
		return false
	}
	for _, h := range []*host{b(w), d, e} {
		w.net.mute(0, h.index)
	}
	w.after(ms(1800), func() { // d has nothing to keep from b, and hears a and c
		w.net.mute(1, 4)
		w.net.mute(3, 4)
		w.net.paths[0][4], w.net.paths[4][0] = path{}, path{}
	})
	w.after(ms(3200), func() {
		late = true
		w.net.mute(1, 2)
		w.net.mute(3, 2)
		c(w).receive(a(w), beats[len(beats)-1])
		w.after(ms(1), func() { c(w).receive(a(w), releases[0]) })
	})
}

// editedFile has the file name three of the five voters on two nodes, whose agents are restarted; then the others are cut off.
func editedFile(w *World) {
	three := []words.Node{a(w).name, b(w).name, c(w).name}
	w.plan.Files = map[int][]words.Node{0: three, 1: three}
	for _, h := range []*host{a(w), b(w)} {
		h.killAgent()
		w.after(ms(5), h.startAgent)
	}
	w.after(ms(50), func() { w.partitioned(0, 1) })
}
