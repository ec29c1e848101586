package peermsg

import (
	"redkeep/internal/decide"
	"redkeep/internal/words"
)

// The messages of what a person starts, and of coming back: readmission, switchover, a choice, a new list, leaving.

func (w *wire) readmit(m *decide.Readmit) { w.random(&m.Nonce) }

func (w *wire) readmitted(m *decide.Readmitted) {
	w.random(&m.Nonce)
	unsigned(w, &m.Seen)
	w.flags(&m.Fresh)
	unsigned(w, &m.Generation)
	w.members(&m.Members)
	w.duration(&m.LMax)
	w.row(&m.Row)
	if w.more() {
		w.pause(&m.Pause)
	}
}

func (w *wire) prepare(m *decide.Prepare) {
	unsigned(w, &m.Round)
	unsigned(w, &m.Epoch)
}

func (w *wire) prepared(m *decide.Prepared) {
	unsigned(w, &m.Round)
	w.flags(&m.OK)
	w.reason(&m.Reason)
}

func (w *wire) level(m *decide.Level) {
	unsigned(w, &m.Round)
	signed(w, &m.Offset)
}

func (w *wire) leveled(m *decide.Leveled) {
	unsigned(w, &m.Round)
	signed(w, &m.Offset)
}

func (w *wire) choose(m *decide.Choose) {
	w.node(&m.Master)
	w.flags(&m.AcceptLoss, &m.Anew)
}

func (w *wire) propose(m *decide.Propose) {
	unsigned(w, &m.Epoch)
	unsigned(w, &m.Generation)
	w.members(&m.Members)
	w.flags(&m.Commit)
}

func (w *wire) accepted(m *decide.Accepted) {
	unsigned(w, &m.Generation)
	w.flags(&m.Commit)
}

func (w *wire) depart(m *decide.Depart) {
	unsigned(w, &m.Round)
	w.flags(&m.Answer, &m.Final, &m.Revoke)
}

func (w *wire) pausing(m *decide.Pausing) {
	w.pause(&m.Pause)
	w.flags(&m.Answer)
}

func (w *wire) pause(p *words.Pause) {
	unsigned(w, &p.Count)
	w.node(&p.By)
	w.duration(&p.For)
	w.duration(&p.Left)
	w.text(&p.Text)
}
