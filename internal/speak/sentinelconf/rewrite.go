package sentinelconf

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"redkeep/internal/syntax"
)

// Rewrite returns the file with what a Sentinel now keeps in it, as redis-sentinel 7.0 would write it over the same file:
// comments and order stay, a value takes the next line that the same option had, and what finds none is added at the end.
// users are what follows the word user of each user's line, in order, none where an ACL file has them.
func Rewrite(old []byte, s *State, o *Settings, users []string) []byte {
	return NewLayout(old).Rewrite(s, o, users)
}

// Rewrite is for a file that is written again and again: the layout becomes that of what it returns, which the caller
// must not change.
func (l *Layout) Rewrite(s *State, o *Settings, users []string) []byte {
	w := newWriter(l)
	w.settings(o)
	for _, u := range users {
		w.open(slotUser, "user ")
		w.added = append(w.added, u...)
		w.close(true)
	}
	w.state(s)
	return w.finish()
}

// writer gives the old rows new texts, and adds rows.
type writer struct {
	layout *Layout
	// rows are the layout's and those that are added; next is the row after each with the same slot, and free the first
	// of each slot that has not been reused, -1 for none.
	rows []row
	next []int32
	free [slots]int32
	// added holds the new texts; the line that is open began at from.
	added []byte
	from  int
	slot  slot
}

// newWriter makes a writer for which all rows are free.
func newWriter(l *Layout) *writer {
	w := &writer{layout: l, rows: slices.Grow(slices.Clone(l.rows), 64), next: make([]int32, len(l.rows))}
	w.added = make([]byte, 0, len(l.text)+1<<12)
	for i := range w.free {
		w.free[i] = -1
	}
	for i, r := range slices.Backward(w.rows) {
		if r.slot != kept {
			w.next[i], w.free[r.slot] = w.free[r.slot], int32(i) //nolint:gosec // a file has no more lines
		}
	}
	return w
}

// open begins a line.
func (w *writer) open(s slot, text string) {
	w.slot, w.from = s, len(w.added)
	w.added = append(w.added, text...)
}

// close ends a line: it takes the next free row of its slot. force says whether the line is added where there is none.
func (w *writer) close(force bool) {
	//nolint:gosec // a file is not that long
	r := row{from: int32(w.from), to: int32(len(w.added)), slot: w.slot, added: true}
	if at := w.free[w.slot]; at >= 0 {
		w.free[w.slot], w.rows[at] = w.next[at], r
		return
	}
	if !force {
		w.added = w.added[:w.from]
		return
	}
	if !w.layout.signed {
		w.layout.signed = true
		w.added = append(w.added, signature...)
		w.rows = append(w.rows, row{from: r.to, to: int32(len(w.added)), slot: kept, added: true}) //nolint:gosec // the same
	}
	w.rows = append(w.rows, r)
}

// settings writes the directives: those that stand in the file, and those that differ from the usual.
func (w *writer) settings(o *Settings) {
	for i, d := range directives {
		text := o.texts[i]
		if d.means != "" || text == "" {
			continue // its rows stay free, and become blank
		}
		if d.kind != kindBufferLimits {
			w.setting(slot(i), d.name, text, text != d.usual || d.kind == kindDirectory || d.kind == kindPercentiles) //nolint:gosec // short
			continue
		}
		usual := strings.Split(d.usual, "\n")
		for j, line := range strings.Split(text, "\n") {
			w.setting(slot(i), d.name, line, line != usual[j]) //nolint:gosec // short
		}
	}
}

// setting writes one directive.
func (w *writer) setting(s slot, name, text string, force bool) {
	w.open(s, name)
	w.added = append(append(w.added, ' '), text...)
	w.close(force)
}

// state writes sentinel's own lines.
func (w *writer) state(s *State) {
	if s.MyID != "" {
		w.line(slotMyID, "myid", s.MyID)
	}
	w.choice(slotDeny, "deny-scripts-reconfig", s.DenyScriptsReconfig, true)
	w.choice(slotResolve, "resolve-hostnames", s.ResolveHostnames, false)
	w.choice(slotAnnounceHostnames, "announce-hostnames", s.AnnounceHostnames, false)
	for _, m := range s.Masters {
		w.master(s, m)
	}
	w.number(slotCurrentEpoch, "sentinel current-epoch", s.CurrentEpoch)
	if s.AnnounceIP != "" {
		w.open(slotAnnounceIP, "sentinel announce-ip ")
		w.added = syntax.AppendQuoted(w.added, s.AnnounceIP)
		w.close(true)
	}
	if s.AnnouncePort != 0 {
		w.line(slotAnnouncePort, "announce-port", strconv.Itoa(s.AnnouncePort))
	}
	if s.SentinelUser != "" {
		w.line(slotSentinelUser, "sentinel-user", s.SentinelUser)
	}
	if !s.SentinelPass.Empty() {
		w.line(slotSentinelPass, "sentinel-pass", s.SentinelPass.Reveal())
	}
}

// line writes a statement with the words after it.
func (w *writer) line(s slot, name string, words ...string) {
	w.open(s, "sentinel ")
	w.added = append(w.added, name...)
	for _, word := range words {
		w.added = syntax.AppendWord(append(w.added, ' '), word)
	}
	w.close(true)
}

// choice writes yes or no.
func (w *writer) choice(s slot, name string, value, usual bool) {
	w.open(s, "sentinel ")
	w.added = append(w.added, name...)
	if value {
		w.added = append(w.added, " yes"...)
	} else {
		w.added = append(w.added, " no"...)
	}
	w.close(value != usual)
}

// number writes a number after what is given.
func (w *writer) number(s slot, text string, n uint64) {
	w.open(s, text)
	w.added = strconv.AppendUint(append(w.added, ' '), n, 10)
	w.close(true)
}

// master writes the lines of one master.
func (w *writer) master(s *State, m *Master) {
	w.address(slotMonitor, "monitor", m, m.Addr)
	w.added = strconv.AppendInt(append(w.added, ' '), int64(m.Quorum), 10)
	w.close(true)
	w.time(slotDownAfter, "down-after-milliseconds", m, m.DownAfter, cmp.Or(s.UsualDownAfter, DefaultDownAfter))
	w.time(slotFailoverTimeout, "failover-timeout", m, m.FailoverTimeout, cmp.Or(s.UsualFailoverTimeout, DefaultFailoverTimeout))
	if m.ParallelSyncs != DefaultParallelSyncs {
		w.line(slotParallelSyncs, "parallel-syncs", m.Name, strconv.Itoa(m.ParallelSyncs))
	}
	w.text(slotNotification, "notification-script", m, m.NotificationScript)
	w.text(slotReconfig, "client-reconfig-script", m, m.ReconfigScript)
	w.text(slotAuthPass, "auth-pass", m, m.AuthPass.Reveal())
	w.text(slotAuthUser, "auth-user", m, m.AuthUser)
	w.time(slotReboot, "master-reboot-down-after-period", m, m.RebootDownAfter, 0)
	w.epoch(slotConfigEpoch, "config-epoch", m, m.ConfigEpoch)
	w.epoch(slotLeaderEpoch, "leader-epoch", m, m.LeaderEpoch)
	for _, a := range m.Replicas {
		w.address(slotReplica, "known-replica", m, a)
		w.close(true)
	}
	for _, p := range m.Sentinels {
		w.address(slotSentinel, "known-sentinel", m, p.Addr)
		w.added = syntax.AppendWord(append(w.added, ' '), p.ID)
		w.close(true)
	}
	for _, r := range m.Renames {
		w.line(slotRename, "rename-command", m.Name, r.Command, r.Name)
	}
}

// named begins a line of a master's.
func (w *writer) named(s slot, name string, m *Master) {
	w.open(s, "sentinel ")
	w.added = append(append(w.added, name...), ' ')
	w.added = append(syntax.AppendWord(w.added, m.Name), ' ')
}

// address begins a line with an address.
func (w *writer) address(s slot, name string, m *Master, a Address) {
	w.named(s, name, m)
	w.added = append(syntax.AppendWord(w.added, a.Host), ' ')
	w.added = strconv.AppendInt(w.added, int64(a.Port), 10)
}

// time writes a time if it is not the usual one.
func (w *writer) time(s slot, name string, m *Master, d, usual time.Duration) {
	if d == usual {
		return
	}
	w.named(s, name, m)
	w.added = strconv.AppendInt(w.added, d.Milliseconds(), 10)
	w.close(true)
}

// text writes what is not empty.
func (w *writer) text(s slot, name string, m *Master, text string) {
	if text != "" {
		w.named(s, name, m)
		w.added = syntax.AppendWord(w.added, text)
		w.close(true)
	}
}

// epoch writes an epoch.
func (w *writer) epoch(s slot, name string, m *Master, n uint64) {
	w.named(s, name, m)
	w.added = strconv.AppendUint(w.added, n, 10)
	w.close(true)
}

// finish puts the rows together: those that are still free become blank, and of several blank ones one stays.
func (w *writer) finish() []byte {
	for _, at := range w.free {
		for ; at >= 0; at = w.next[at] {
			w.rows[at] = row{slot: kept}
		}
	}
	text := make([]byte, 0, len(w.layout.text)+len(w.added)+len(w.rows))
	rows := w.layout.rows[:0]
	blank := false
	for _, r := range w.rows {
		if r.from == r.to && blank {
			continue
		}
		blank = r.from == r.to
		from := len(text)
		if r.added {
			text = append(text, w.added[r.from:r.to]...)
		} else {
			text = append(text, w.layout.text[r.from:r.to]...)
		}
		rows = append(rows, row{from: int32(from), to: int32(len(text)), slot: r.slot}) //nolint:gosec // the same
		text = append(text, '\n')
	}
	w.layout.text = string(text)
	end := int32(len(text)) //nolint:gosec // the same
	w.layout.rows = append(rows, row{from: end, to: end, slot: kept})
	return text
}
