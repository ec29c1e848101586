package peermsg

import (
	"redkeep/internal/decide"
	"redkeep/internal/words"
)

// The values that several messages have in common.

func (w *wire) members(v *[]words.Node) { list(w, v, MaxMembers, (*wire).node) }

func (w *wire) rows(v *[]words.Row) { newest(w, v, MaxRows, (*wire).row) }

func (w *wire) releases(v *[]decide.Release) { list(w, v, MaxMembers, (*wire).release) }

func (w *wire) row(v *words.Row) {
	unsigned(w, &v.Epoch)
	w.node(&v.Holder)
	id(w, &v.RunID)
	id(w, &v.ReplID)
	signed(w, &v.From)
	id(w, &v.Continues)
}

func (w *wire) position(v *words.Position) {
	id(w, &v.ReplID)
	signed(w, &v.Offset)
	id(w, &v.ReplID2)
	signed(w, &v.Second)
}

func (w *wire) reason(v *words.Reason) {
	plain(w, &v.Code, MaxName)
	if v.Code == "" {
		return
	}
	w.node(&v.Node)
	w.node(&v.Other)
	signed(w, &v.N)
	signed(w, &v.M)
	w.text(&v.Text)
}

func (w *wire) server(v *words.Server) {
	id(w, &v.RunID)
	choice(w, &v.Role, words.RoleReplica)
	w.position(&v.Position)
	signed(w, &v.Keys)
	w.text(&v.Master)
	unsigned(w, &v.MasterPort)
	w.flags(&v.LinkUp, &v.Syncing, &v.Loading, &v.ReadOnly, &v.BornFenced, &v.Cluster, &v.Active, &v.DiskFails)
	signed(w, &v.Priority)
	shown := v.Replicas
	if w.writing {
		shown = shown[:min(len(shown), MaxReplicas)]
	}
	list(w, &shown, MaxReplicas, (*wire).replica)
	if !w.writing {
		v.Replicas = shown
	}
	w.text(&v.Version)
	w.duration(&v.Uptime)
}

func (w *wire) replica(v *words.Replica) {
	w.addr(&v.Addr)
	signed(w, &v.Offset)
	w.flags(&v.Online)
}

func (w *wire) record(v *words.Record) {
	unsigned(w, &v.Epoch)
	choice(w, &v.Role, words.RoleReplica)
	w.position(&v.Position)
	id(w, &v.RunID)
	signed(w, &v.Keys)
}

func (w *wire) claim(v *decide.Claim) {
	w.server(&v.Server)
	w.record(&v.Recorded)
	w.flags(&v.Fit)
	w.reason(&v.Unfit)
	unsigned(w, &v.Sealed)
}

// settled visits what a message's end says of its claim, if it has one (rule copy-settles).
func (w *wire) settled(v *decide.Claim) {
	if v != nil && w.more() {
		w.flags(&v.Fresh)
	}
}

// maybeClaim visits a claim that a witness doesn't make.
func (w *wire) maybeClaim(v **decide.Claim) {
	there := *v != nil
	w.flags(&there)
	if !there || w.err != nil {
		return
	}
	if *v == nil {
		*v = new(decide.Claim)
	}
	w.claim(*v)
}
