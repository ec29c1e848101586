package sim

import (
	"time"

	"redkeep/internal/words"
	"redkeep/prove/judge"
)

// writer sends writes to one node's address for ever, from elsewhere or over the node's own loopback.
type writer struct {
	w        *World
	host     *host
	group    int
	loopback bool
	conn     uint64
	// vip says that the write goes to the group's address, which led to host; nil where it goes to the host's own.
	vip *segment
}

func newWriter(w *World, h *host, group int, loopback bool) *writer {
	w.ports++
	return &writer{w: w, host: h, group: group, loopback: loopback, conn: uint64(w.ports)}
}

// write sends one, and the next one after a while, whatever becomes of it.
func (c *writer) write() {
	w := c.w
	w.after(w.plan.Write+w.between(0, w.plan.Write/4), c.write)
	c.send()
}

// send sends one.
func (c *writer) send() {
	w := c.w
	s := c.host.servers[c.group]
	if !c.host.power || s == nil || s.state == gone || !c.reaches() {
		return
	}
	w.after(c.delay(), func() { c.arrive(s) })
}

func (c *writer) reaches() bool {
	return c.loopback || c.w.net.both(c.w.net.clients(), c.host.index)
}

func (c *writer) delay() time.Duration {
	if c.loopback {
		return 10 * time.Microsecond
	}
	return c.w.between(50*time.Microsecond, 300*time.Microsecond)
}

// arrive is the request at the gate, and then in the server's socket, where no gate judges it any more.
func (c *writer) arrive(s *server) {
	if s.state == gone || !c.host.gates[c.group].serves() || c.vip != nil && !c.host.addresses[c.group].here() {
		return
	}
	boot := s.boot
	cmd := &command{conn: c.conn, client: true}
	cmd.run = func() {
		if s.boot != boot || s.role != words.RoleMaster {
			return
		}
		if c.w.now < s.paused {
			s.held = append(s.held, cmd)
			return
		}
		c.w.writes++
		id := c.w.writes
		s.append(id)
		c.answer(id)
	}
	s.take(cmd)
}

// answer leaves through the gate, or does not: it counts at that instant.
func (c *writer) answer(id uint64) {
	if !c.host.gates[c.group].answers() || !c.reaches() {
		return
	}
	w := c.w
	if g := c.host.gates[c.group]; g.flushed && w.now-g.flushedAt < flushGrace {
		return
	}
	if c.vip != nil {
		c.vip.confirm(c.host.index)
	}
	w.outcome.Acks++
	w.watch[c.group].acked = w.now
	w.court.Acked(judge.Ack{At: w.now, Group: w.groups[c.group], Node: c.host.name, Write: id})
}
