package detect

import (
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/words"
)

// Health is what is known of one server's life.
type Health struct {
	self                 words.Node
	downAfter, busyAfter time.Duration
	// answered is the instant of its last answer of any kind.
	answered words.Instant
	seen     bool
	gone     bool
	silent   decide.Silent
	overdue  bool
	// refused is what the server has answered instead, since its last answer of use: a login that it does not take, for one.
	refused string
}

// New returns the health of a server that has not been seen.
func New(s decide.Setup) *Health {
	return &Health{self: s.Self, downAfter: s.DownAfter, busyAfter: max(s.BusyAfter, s.DownAfter)}
}

// Seen records an answer.
func (h *Health) Seen(at words.Instant) {
	h.answered, h.seen, h.gone, h.overdue, h.refused = at, true, false, false, ""
}

// Complained records an error reply: alive, but a server that loads has no data to serve. Any other says why nothing is
// known of the server, and does not make it well.
func (h *Health) Complained(at words.Instant, c decide.Complained) {
	if c.Kind == decide.ComplaintBusy || c.Kind == decide.ComplaintLoading {
		h.answered, h.gone, h.refused = at, false, ""
		h.silent, h.overdue = decide.Silent{Process: decide.ProcessRunning, Busy: true}, true
		return
	}
	h.refused = c.Text
}

// Lost records a fact. The end of a connection alone is none: it may have been killed by a client.
func (h *Health) Lost(c decide.LossCause) {
	if c != decide.LossClosed {
		h.gone, h.seen = true, false
	}
}

// Slept takes the time that the agent itself did not run off the server's silence: nobody asked it anything.
func (h *Health) Slept(at words.Instant, d time.Duration) { h.answered = min(at, h.answered.Add(d)) }

// Silent records an overdue answer.
func (h *Health) Silent(s decide.Silent) { h.silent, h.overdue = s, true }

// Down says why the server must be given up at this instant; zero while it need not be.
func (h *Health) Down(at words.Instant) words.Reason {
	switch {
	case h.gone:
		return words.Reason{Code: words.ServerGone, Node: h.self}
	case !h.seen:
		return words.Reason{Code: words.NotSeen, Node: h.self, Text: h.refused}
	case h.silent.Process == decide.ProcessGone && h.overdue:
		return words.Reason{Code: words.ServerGone, Node: h.self}
	}
	if at < h.deadline() {
		return words.Reason{}
	}
	why := words.Reason{Code: h.class(), Node: h.self, N: at.Sub(h.answered).Milliseconds(), M: h.budget().Milliseconds()}
	if why.Code == words.ServerSilent {
		why.Text = h.refused
	}
	return why
}

// Gone reports whether the process is known to have ended, which is no silence.
func (h *Health) Gone() bool { return h.gone }

// Wake returns the instant at which an unchanged silence will exceed its budget; Never once it has.
func (h *Health) Wake(at words.Instant) words.Instant {
	if !h.seen || h.gone || at >= h.deadline() {
		return words.Never
	}
	return h.deadline()
}

func (h *Health) deadline() words.Instant { return h.answered.Add(h.budget()) }

func (h *Health) budget() time.Duration {
	if h.overdue && h.silent.Busy && h.silent.Process != decide.ProcessStopped {
		return h.busyAfter
	}
	return h.downAfter
}

func (h *Health) class() words.Code {
	switch {
	case h.overdue && h.silent.Process == decide.ProcessStopped:
		return words.ServerStopped
	case h.overdue && h.silent.Busy:
		return words.ServerBusy
	default:
		return words.ServerSilent
	}
}
