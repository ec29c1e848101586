package peermsg

import (
	"redkeep/internal/decide"
	"redkeep/internal/words"
)

// The messages of a group in its normal course.

func (w *wire) beat(m *decide.Beat) {
	unsigned(w, &m.Epoch)
	unsigned(w, &m.Seq)
	w.duration(&m.Lease)
	unsigned(w, &m.Generation)
	id(w, &m.RunID)
	w.position(&m.Position)
	signed(w, &m.Keys)
	w.members(&m.InSync)
	w.row(&m.Row)
	if w.more() {
		w.random(&m.List)
	}
}

func (w *wire) grant(m *decide.Grant) {
	unsigned(w, &m.Epoch)
	unsigned(w, &m.Session)
	unsigned(w, &m.Seq)
	w.duration(&m.Lease)
}

func (w *wire) refuse(m *decide.Refuse) {
	unsigned(w, &m.Epoch)
	unsigned(w, &m.Session)
	unsigned(w, &m.Seq)
	unsigned(w, &m.Seen)
	w.reason(&m.Reason)
	unsigned(w, &m.Generation)
	w.members(&m.Members)
}

func (w *wire) status(m *decide.Status) {
	unsigned(w, &m.Seen)
	unsigned(w, &m.Generation)
	w.random(&m.Digest)
	w.flags(&m.Free, &m.Settled, &m.Promised, &m.HasVIP)
	w.node(&m.Holder)
	unsigned(w, &m.Granted)
	w.duration(&m.GrantLeft)
	w.maybeClaim(&m.Claim)
	w.rows(&m.Rows)
	choice(w, &m.Fence, words.FenceHard)
	choice(w, &m.Gate, decide.GateReplication)
	signed(w, &m.Stamp)
	signed(w, &m.Echo)
	w.duration(&m.Held)
	w.text(&m.Version)
	if w.more() {
		w.pause(&m.Pause)
	}
	if w.more() {
		w.random(&m.Settings)
	}
	if w.more() {
		w.random(&m.List)
	}
	w.settled(m.Claim)
}

func (w *wire) release(m *decide.Release) {
	unsigned(w, &m.Epoch)
	w.node(&m.Holder)
	unsigned(w, &m.Session)
	unsigned(w, &m.Seq)
	w.reason(&m.Reason)
	w.node(&m.Successor)
	signed(w, &m.Offset)
	w.flags(&m.Unfit)
}

func (w *wire) releaseSeen(m *decide.ReleaseSeen) {
	unsigned(w, &m.Epoch)
	unsigned(w, &m.Session)
	unsigned(w, &m.Seq)
}
