package peer

import (
	"errors"
	"time"

	"redkeep/internal/speak/seal"
	"redkeep/internal/words"
)

// refusal is why the latest datagram in a peer's name was refused, and when: zero once a genuine one has come.
type refusal struct {
	why error
	at  time.Time
}

// judged takes note of a verdict. Late and doubled datagrams are the network's, and say nothing about their sender.
func (r *remote) judged(err error) {
	switch {
	case err == nil, errors.Is(err, seal.ErrUnproven):
		r.refused = refusal{}
	case errors.Is(err, seal.ErrForged), errors.Is(err, seal.ErrTwin):
		r.refused = refusal{err, time.Now()}
	}
}

// Refused says why what comes in a peer's name has been refused within the given time, with nothing genuine since; nil if
// nothing was. Anybody can send in another's name: it explains a silence to people, and nothing may be decided by it.
func (p *Peer) Refused(n words.Node, within time.Duration) error {
	r, ok := p.remotes[n]
	if !ok {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Since(r.refused.at) > within {
		return nil
	}
	return r.refused.why
}
