package group

import (
	"redkeep/internal/decide"
	"redkeep/internal/decide/rank"
	"redkeep/internal/words"
)

// tendFirst is the first start of a group: an existing master is adopted, several empty servers get one.
func (m *Machine) tendFirst() {
	if !m.own.usable(m) {
		m.why = append(m.why, m.whyUnusable())
		return
	}
	node, why := rank.First(m.setup.Data, m.claims())
	if node != m.setup.Self {
		if why.Zero() {
			why = words.Reason{Code: words.SomebodyBetter, Node: node}
		}
		m.why = append(m.why, why)
		if why.Code == words.ServersDiffer {
			m.note(why)
		}
		return
	}
	m.stand(decide.BasisFirst, false, false, nil)
}

// whyUnusable says what is wrong with the own server, of which nothing may be known yet.
func (m *Machine) whyUnusable() words.Reason {
	if why := m.health.Down(m.at); !why.Zero() {
		return why
	}
	return words.Reason{Code: words.NotSeen, Node: m.setup.Self}
}

// standChosen stands because a person said so.
func (m *Machine) standChosen() {
	if !m.own.usable(m) {
		m.why = append(m.why, m.whyUnusable())
		return
	}
	if m.leased() && !m.sealOwn() {
		return
	}
	m.stand(decide.BasisChosen, false, false, nil)
}
