package peer

import "time"

const (
	// silenceStep is the least time from the first unanswered datagram, and from one telling of the silence, to the next: a node that runs many groups
	// sends as many datagrams before the first answer can have come.
	silenceStep = 50 * time.Millisecond
	// silenceTold is how often a silence is told of. With a beat in each tenth of the lease that is three leases: by then the port of a link that has
	// come up forwards, and whether the peer is there is decided. A host that is dead for hours must not be asked for at each beat: after
	// that it is left to the kernel, which asks once a second.
	silenceTold = 30
)

// silence is how long a peer has answered nothing that the kernel took, and how often that was told. Its zero value is a peer that owes
// no answer.
type silence struct {
	last time.Time // when the first unanswered datagram was sent, or the silence was last told of
	told int
}

// sent takes note of a datagram that the kernel has taken, and reports whether the silence before it is to be told of.
func (s *silence) sent(now time.Time) bool {
	if s.last.IsZero() {
		s.last = now
		return false
	}
	if s.told == silenceTold || now.Sub(s.last) < silenceStep {
		return false
	}
	s.last, s.told = now, s.told+1
	return true
}

// end is that the peer was heard, or that there is no network to it: what comes after that is a silence of its own.
func (s *silence) end() { *s = silence{} }

// watchSilence takes note of what became of a datagram to a peer.
func (p *Peer) watchSilence(r *remote, err error) {
	if p.config.OnSilence == nil {
		return
	}
	r.mu.Lock()
	tell := false
	if err != nil {
		r.silence.end()
	} else {
		tell = r.silence.sent(time.Now())
	}
	r.mu.Unlock()
	if tell {
		p.config.OnSilence(r.addr.Addr())
	}
}
