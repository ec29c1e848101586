package sentinel

import (
	"maps"
	"slices"

	"redkeep/internal/words"
)

// timer is when its owner, a link or an instance, wants to be looked after.
type timer struct {
	due   words.Instant
	place int // in the queue, from 1; 0 is not in it
	owner any
	gone  bool // the owner is forgotten
}

// queue orders the timers: each is due no later than the four below it, which keeps those that are compared close together. The instants
// stand in the queue itself, so that most comparisons look nowhere else.
type queue []entry

type entry struct {
	due   words.Instant
	timer *timer
}

// width is how many are below each.
const width = 4

// put has an entry stand at a place.
func (q queue) put(at int, e entry) {
	q[at] = e
	e.timer.place = at + 1
}

// up moves an entry that is due earlier than before, or new.
func (q queue) up(at int) {
	for e := q[at]; ; {
		above := (at - 1) / width
		if at == 0 || q[above].due <= e.due {
			q.put(at, e)
			return
		}
		q.put(at, q[above])
		at = above
	}
}

// down moves an entry that is due later.
func (q queue) down(at int) {
	for e := q[at]; ; {
		first := at*width + 1
		least := first
		for i := first + 1; i < min(first+width, len(q)); i++ {
			if q[i].due < q[least].due {
				least = i
			}
		}
		if first >= len(q) || q[least].due >= e.due {
			q.put(at, e)
			return
		}
		q.put(at, q[least])
		at = least
	}
}

// rouse has the owner looked after at that instant, or earlier if that is so already. Nobody looks after what is forgotten: the save of a
// vote may end when its group has been removed.
func (m *Machine) rouse(t *timer, at words.Instant) {
	if !t.gone && (t.place == 0 || at < t.due) {
		m.settle(t, at)
	}
}

// settle has the owner looked after at that instant and not before.
func (m *Machine) settle(t *timer, at words.Instant) {
	t.due = at
	if t.place == 0 {
		m.queue = append(m.queue, entry{at, t})
		m.queue.up(len(m.queue) - 1)
		return
	}
	place := t.place - 1
	earlier := at < m.queue[place].due
	m.queue[place].due = at
	if earlier {
		m.queue.up(place)
	} else {
		m.queue.down(place)
	}
}

// rouseAll has every instance looked after now, in the order in which they were found: what is played twice is to go the same way.
func (m *Machine) rouseAll() {
	for _, id := range slices.Sorted(maps.Keys(m.instances)) {
		m.rouse(&m.instances[id].timer, m.now)
	}
}

// sleep takes the owner out of the queue.
func (m *Machine) sleep(t *timer) {
	if t.place == 0 {
		return
	}
	at, last := t.place-1, len(m.queue)-1
	moved := m.queue[last]
	m.queue[last] = entry{}
	m.queue = m.queue[:last]
	t.place = 0
	if at < last {
		m.queue[at] = moved
		m.queue.up(at)
		m.queue.down(moved.timer.place - 1)
	}
}

// tendAll looks after all whose time has come. Who is roused meanwhile comes in the same turn.
func (m *Machine) tendAll() {
	for len(m.queue) > 0 && m.queue[0].due <= m.now {
		t := m.queue[0].timer
		m.sleep(t)
		next := words.Never
		switch o := t.owner.(type) {
		case *link:
			next = m.tendLink(o)
			if o.gone {
				continue
			}
		case *instance:
			next = m.tendInstance(o)
			if o.gone {
				continue
			}
		}
		m.rouse(t, next)
	}
}
