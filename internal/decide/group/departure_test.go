package group

import (
	"testing"

	"redkeep/internal/decide"
	"redkeep/internal/words"
)

// newVoter returns the machine of a witness whose store says what the register says.
func newVoter(self words.Node, change func(*words.Register)) *Machine {
	voters := []words.Node{"h1", "h2", "h3"}
	reg := words.Register{Admitted: true, Generation: 1, Members: voters, Rows: []words.Row{row(1, "h1")}}
	change(&reg)
	setup := decide.Setup{
		Group: "g", Self: self, Voters: voters, Data: []words.Node{"h1"}, Lease: 1e9, DownAfter: 1e9,
		Random: func() uint64 { return 7 },
	}
	m := New(setup, decide.Boot{Session: 5, Register: reg, SameBoot: true})
	m.Step(1e9, decide.Tick{})
	return m
}

func hear(m *Machine, from words.Node, msg decide.Message) []decide.Action {
	return m.Step(m.at+1e6, decide.Received{From: from, Session: 9, Message: msg})
}

func TestWhoHasLeftTellsThoseWhoMissedIt(t *testing.T) {
	gone := newVoter("h1", func(r *words.Register) { r.Left = true })
	promised := newVoter("h2", func(r *words.Register) { r.Promised = 3 })
	told := false
	for _, a := range hear(gone, "h2", decide.Status{Generation: 1, Promised: true}) {
		if s, ok := a.(decide.Send); ok && s.To == "h2" {
			if final, ok := s.Message.(decide.Depart); ok && final.Final {
				told = true
				hear(promised, "h1", final)
			}
		}
	}
	if !told || !promised.gone {
		t.Errorf("told %v, and the voter that missed it has left: %v", told, promised.gone)
	}
}

func TestPromiseIsRevokedByItsOwnAttemptAlone(t *testing.T) {
	m := newVoter("h2", func(*words.Register) {})
	m.voter.Grant.Holder = "h1"
	hear(m, "h1", decide.Depart{Round: 4})
	hear(m, "h1", decide.Depart{Round: 3, Revoke: true})
	if m.voter.Register.Promised != 4 {
		t.Errorf("an earlier attempt's end has revoked the promise: %d", m.voter.Register.Promised)
	}
	hear(m, "h1", decide.Depart{Round: 4, Revoke: true})
	hear(m, "h1", decide.Depart{Round: 4})
	if m.voter.Register.Promised != 0 {
		t.Error("a late copy of the question has been promised again")
	}
	hear(m, "h1", decide.Depart{Round: 5})
	hear(m, "h3", decide.Depart{Round: 9, Revoke: true})
	if m.voter.Register.Promised != 5 {
		t.Error("a node that holds nothing has revoked the promise")
	}
}
