package lab

import (
	"slices"

	"redkeep/internal/words"
)

// noted returns a node's latest reason of a kind.
func (s *Site) noted(h string, code words.Code) (words.Reason, bool) {
	g, err := s.status(h)
	if err != nil {
		return words.Reason{}, false
	}
	for _, n := range slices.Backward(g.Recent) {
		if n.Reason.Code == code {
			return n.Reason, true
		}
	}
	return words.Reason{}, false
}

// waitsFor returns the reason of a kind that a node's status gives for having no master.
func (s *Site) waitsFor(h string, code words.Code) (words.Reason, bool) {
	g, err := s.status(h)
	if err != nil {
		return words.Reason{}, false
	}
	for _, r := range g.Why {
		if r.Code == code {
			return r, true
		}
	}
	return words.Reason{}, false
}

// reports logs what a server that came back held alone and what the new master lacks, and returns the bytes.
func (s *Site) reports(back, master string) int64 {
	s.t.Helper()
	held, _ := s.noted(back, words.LosesBytes)
	lacks, _ := s.noted(master, words.LossyElection)
	s.t.Logf("%s held %d bytes alone; %s lacks %d that were recorded", back, held.N, master, lacks.N)
	return held.N + lacks.N
}
