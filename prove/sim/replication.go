package sim

import (
	"net/netip"
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/words"
)

// link is one replication connection, between the kernels of two hosts: it may outlive the agents and, for a moment, its master.
type link struct {
	w               *World
	replica, master *server
	replicaBoot     uint64
	masterBoot      uint64
	source          decide.Link
	up, full, over  bool
	// sent is how far the stream has been given to the network, got how far the replica's socket has it.
	sent, got, acked words.Offset
	flying           bool
	buffer           []item
	// silent is until when a link that has just been synchronised carries nothing.
	silent time.Duration
	// dying says that the master's process has ended; dark that its host lost power, which the replica can't tell.
	dying, dark bool
	ended       []func()
}

// connect starts an attempt to reach the master; cron tries again each second.
func (s *server) connect() {
	m := s.w.hosts[s.follow].servers[s.group]
	if m == nil || m == s {
		return
	}
	s.w.ports++
	l := &link{w: s.w, replica: s, master: m, replicaBoot: s.boot, masterBoot: m.boot,
		source: netip.AddrPortFrom(s.host.addr, uint16(20000+s.w.ports%40000))}
	s.link = l
	s.w.after(s.w.timing.dial+2*s.w.net.delay(s.host.index, m.host.index), func() {
		if l.over {
			return
		}
		if !l.passes() || m.state == gone || !m.host.power {
			l.cut()
			return
		}
		m.take(&command{conn: uint64(s.w.ports), run: l.psync})
	})
}

// passes reports whether the link's packets get through the network and the master's gate.
func (l *link) passes() bool {
	return l.w.net.both(l.replica.host.index, l.master.host.index) && l.master.host.gates[l.master.group].admits(l.source)
}

// psync is the master's decision between a partial and a full resynchronisation.
func (l *link) psync() {
	r, m := l.replica, l.master
	if l.over {
		return
	}
	if m.role == words.RoleReplica && (m.link == nil || !m.link.up) || m.syncing || !l.passes() {
		l.cut() // NOMASTERLINK
		return
	}
	m.links = append(m.links, l)
	at := r.pos.Offset
	same := r.pos.ReplID == m.pos.ReplID || r.pos.ReplID == m.pos.ReplID2 && at < m.pos.Second
	if same && at >= m.backlog && at <= m.pos.Offset {
		if r.pos.ReplID != m.pos.ReplID {
			r.pos.ReplID2, r.pos.Second, r.pos.ReplID = r.pos.ReplID, at+1, m.pos.ReplID
		}
		l.sent, l.got, l.acked, l.up = at, at, at, true
		l.pump()
		return
	}
	l.resync()
}

// resync copies the master's data as they are now; the replica loads them when they have come, and loses its own then.
func (l *link) resync() {
	r, m, w := l.replica, l.master, l.w
	data, pos := m.data[:len(m.data):len(m.data)], m.pos
	pos.ReplID2, pos.Second = "", -1 // a copy knows no history but the copied one
	l.full, r.syncing = true, true
	w.count("full resync")
	w.log("%s full resync from %s: %d writes for %d", r, m, len(data), len(r.data))
	boot := m.boot
	w.after(w.between(w.timing.syncLow, w.timing.syncHigh), func() {
		if l.over || m.boot != boot || m.state == gone || r.state == gone {
			return
		}
		w.court.Wiped(w.now, w.groups[r.group], r.host.name, m.host.name, r.data, data)
		r.data, r.pos = data, pos
		r.seen = min(r.seen, len(data))
		r.stream, r.backlog, r.syncing, r.torn, r.cold = nil, pos.Offset, false, false, false
		l.sent, l.got, l.acked = pos.Offset, pos.Offset, pos.Offset
		l.up, l.full = true, false
		if w.rng.IntN(2) == 0 { // diskless: nothing flows before the next REPLCONF ACK
			l.silent = w.now + w.between(0, time.Second)
			w.after(l.silent-w.now, l.pump)
		}
		l.pump()
	})
}

// pump puts what the stream has beyond sent on its way, as one flight at a time.
func (l *link) pump() {
	m, w := l.master, l.w
	if l.over || !l.up || l.flying || l.dying || l.dark || w.now < l.silent || m.pos.Offset <= l.sent {
		return
	}
	l.flying = true
	if !l.passes() && !(w.plan.Off.Off(decide.ReplyGate) && w.net.both(l.replica.host.index, m.host.index)) {
		w.after(40*time.Millisecond, func() { // TCP sends again
			l.flying = false
			l.pump()
		})
		return
	}
	l.fly(m.between(l.sent))
}

func (l *link) fly(items []item) {
	w := l.w
	if len(items) == 0 {
		l.flying = false
		return
	}
	l.sent = items[len(items)-1].end
	w.after(w.net.delay(l.master.host.index, l.replica.host.index), func() {
		l.flying = false
		if l.over || l.replica.boot != l.replicaBoot {
			return
		}
		if !w.net.both(l.master.host.index, l.replica.host.index) {
			l.flying = true
			l.sent = l.got
			w.after(40*time.Millisecond, func() { l.flying = false; l.again(items) })
			return
		}
		l.buffer = append(l.buffer, items...)
		l.got = items[len(items)-1].end
		l.read()
		if l.dying {
			l.cut()
			return
		}
		l.pump()
	})
}

// again repeats a flight that a cut has swallowed.
func (l *link) again(items []item) {
	if l.over || l.flying {
		return
	}
	l.flying = true
	if !l.w.net.both(l.master.host.index, l.replica.host.index) || !l.dying && !l.passes() {
		l.w.after(40*time.Millisecond, func() { l.flying = false; l.again(items) })
		return
	}
	l.fly(items)
}

// between returns the stream after an offset.
func (s *server) between(from words.Offset) []item {
	i := len(s.stream)
	for i > 0 && s.stream[i-1].end > from {
		i--
	}
	return s.stream[i:len(s.stream):len(s.stream)]
}

// read has the replica apply what its socket has, where its loop runs.
func (l *link) read() {
	r := l.replica
	if l.over || r.link != l || !r.ready() {
		return
	}
	for _, i := range l.buffer {
		if i.end <= r.pos.Offset {
			continue
		}
		r.pos.Offset = i.end
		if i.write != 0 {
			r.data = append(r.data[:len(r.data):cap(r.data)], i.write)
		}
		r.stream = append(r.stream, i)
	}
	l.buffer = nil
	for _, sub := range r.links {
		sub.pump()
	}
	w := l.w
	w.after(w.net.delay(r.host.index, l.master.host.index), func() {
		if !l.over {
			l.acked = r.pos.Offset
		}
	})
}

// acknowledge is REPLCONF ACK, once a second: a master's shut gate answers it with a reset.
func (l *link) acknowledge() {
	if l.over || !l.w.net.both(l.replica.host.index, l.master.host.index) {
		return
	}
	if l.master.host.power && (l.master.state == gone || l.master.boot != l.masterBoot || !l.passes()) {
		l.cut()
	}
}

// masterGone ends the link after what is in the sockets, or, where the power went, when the replica notices.
func (l *link) masterGone(powerless bool) {
	if l.over {
		return
	}
	if powerless {
		l.dark = true
		return
	}
	l.dying = true
	if rest := l.master.between(l.sent); l.up && len(rest) > 0 && !l.flying && l.w.rng.IntN(8) > 0 && l.w.now >= l.silent && l.passes() {
		l.flying = true
		l.fly(rest)
		return
	}
	if !l.flying {
		l.w.after(l.w.net.delay(l.master.host.index, l.replica.host.index), l.cut)
	}
}

// cut ends the link at both sides; what has not been read is lost.
func (l *link) cut() {
	if l.over {
		return
	}
	l.read()
	l.over, l.up = true, false
	r := l.replica
	if r.link == l {
		r.link, r.syncing = nil, false
	}
	for i, o := range l.master.links {
		if o == l {
			l.master.links = append(append([]*link(nil), l.master.links[:i]...), l.master.links[i+1:]...)
			break
		}
	}
	for _, f := range l.ended {
		f()
	}
}
