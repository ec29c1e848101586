package sim

import (
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/words"
)

// instruct carries out one order after another, each on a connection that was fenced first (rule order-fence).
func (s *seat) instruct(v decide.Instruct) {
	s.orders.add(func(next func()) {
		x := &errand{seat: s, order: v.Order, ticket: v.Ticket, next: next}
		s.errand = x
		s.agent.later(orderHand, s.w.between(s.w.timing.orderLow, s.w.timing.orderHigh)+5*time.Microsecond, x.begin)
	})
}

// errand is one order on its way.
type errand struct {
	seat   *seat
	order  decide.Order
	ticket decide.Ticket
	next   func()
	conn   uint64
	over   bool
	boot   uint64
}

func (x *errand) begin() {
	s := x.seat
	sv := s.server()
	if sv == nil || sv.state == gone {
		x.finish("connect to server: connection refused", words.Server{}, nil)
		return
	}
	s.w.ports++
	x.conn, x.boot = firstOrder+uint64(s.w.ports), sv.boot
	s.agent.later(orderHand, x.budget(), func() {
		s.unfenced = s.unfenced || !x.over
		x.finish("order: timed out", words.Server{}, nil)
	})
	sv.take(&command{conn: x.conn, run: func() { x.arrive(sv) }})
}

// budget is how long the hand waits for an answer; what is in the server's socket stays there longer.
func (x *errand) budget() time.Duration {
	d := x.seat.w.plan.DownAfter
	switch o := x.order.(type) {
	case decide.AwaitOffset:
		d += o.For
	case decide.Seal:
		d += o.Drain
	}
	return d
}

// arrive is the server's turn: fence, order, and a look on the same connection.
func (x *errand) arrive(sv *server) {
	switch {
	case !x.seat.w.plan.Off.Off(decide.OrderFence):
		sv.killOrders(x.conn)
	case x.over:
		x.seat.w.log("%s server executes an order that was given up", sv)
	}
	if x.stale(sv) {
		x.answer(sv, "run ID: another process", nil)
		return
	}
	if sv.deafTo != nil && sv.deafTo(x.order) {
		return
	}
	switch o := x.order.(type) {
	case decide.Look:
		x.answer(sv, "", nil)
	case decide.Seal:
		x.seal(sv, o)
	case decide.Demote:
		sv.unpause()
		sv.replicaOf(deadEnd)
		x.answer(sv, "", nil)
	case decide.Promote:
		sv.replicaOf(nobody)
		x.answer(sv, "", nil)
	case decide.Follow:
		sv.unpause()
		sv.replicaOf(x.seat.w.indexOf(o.Node))
		x.answer(sv, "", nil)
	case decide.Pause:
		sv.pause(o.For)
		x.answer(sv, "", sv.addresses())
	case decide.Unpause:
		sv.unpause()
		x.answer(sv, "", nil)
	case decide.AwaitOffset:
		x.await(sv, o.Offset, x.seat.w.now+o.For)
	case decide.KillClients:
		sv.killClients()
		x.answer(sv, "", nil)
	case decide.FenceBirth:
		sv.fenced = !x.seat.w.plan.Off.Off(decide.BornFenced)
		x.answer(sv, "", nil)
	case decide.UnfenceBirth:
		sv.fenced = false
		x.answer(sv, "", nil)
	}
}

// stale reports whether the order was meant for another process.
func (x *errand) stale(sv *server) bool {
	var want words.RunID
	switch o := x.order.(type) {
	case decide.Seal:
		want = o.RunID
	case decide.Demote:
		want = o.RunID
	case decide.Promote:
		want = o.RunID
	case decide.Follow:
		want = o.RunID
	}
	return want != "" && want != sv.runID && !x.seat.w.plan.Off.Off(decide.SameProcess)
}

// seal cuts the link to the master, at once or when it has ended by itself, and keeps it cut.
func (x *errand) seal(sv *server, o decide.Seal) {
	do := func() {
		if x.over && !x.seat.w.plan.Off.Off(decide.OrderFence) || sv.boot != x.boot || sv.state == gone {
			return
		}
		sv.take(&command{conn: x.conn, run: func() {
			if sv.role == words.RoleReplica {
				sv.replicaOf(deadEnd)
			}
			x.answer(sv, "", nil)
		}})
	}
	l := sv.link
	if o.Drain <= 0 || l == nil || !l.up {
		do()
		return
	}
	once := false
	end := func() {
		if !once {
			once = true
			x.seat.agent.later(orderHand, 5*time.Microsecond, do)
		}
	}
	l.ended = append(l.ended, end)
	x.seat.w.after(o.Drain, end)
}

func (x *errand) await(sv *server, offset words.Offset, until time.Duration) {
	w := x.seat.w
	if x.over || sv.boot != x.boot || sv.state == gone {
		return
	}
	if sv.pos.Offset >= offset {
		x.answer(sv, "", nil)
		return
	}
	if w.now >= until {
		x.answer(sv, "offset: not reached", nil)
		return
	}
	x.seat.agent.later(orderHand, 500*time.Microsecond, func() {
		sv.take(&command{conn: x.conn, run: func() { x.await(sv, offset, until) }})
	})
}

// answer sends what the server says of itself back over the connection.
func (x *errand) answer(sv *server, err string, links []decide.Link) {
	if x.over {
		return
	}
	info := sv.info()
	n := len(sv.data)
	x.seat.agent.later(orderHand, x.seat.w.between(x.seat.w.timing.orderLow, x.seat.w.timing.orderHigh)/2+5*time.Microsecond, func() {
		if sv.boot == x.boot {
			sv.seen = max(sv.seen, min(n, len(sv.data)))
		}
		x.finish(err, info, links)
	})
}

func (x *errand) finish(err string, info words.Server, links []decide.Link) {
	if x.over {
		return
	}
	x.over, x.seat.errand = true, nil
	x.seat.ordered++
	x.seat.agent.post(x.seat.group, decide.Ordered{Ticket: x.ticket, Err: err, Server: info, Links: links})
	x.next()
}

// broken ends an errand whose server has died under it.
func (x *errand) broken() { x.finish("order: connection closed", words.Server{}, nil) }
