package sentinel

import (
	"container/heap"

	"redkeep/internal/words"
)

// timer is when its owner, a link or an instance, wants to be looked after.
type timer struct {
	due   words.Instant
	place int // in the queue, from 1; 0 is not in it
	owner any
}

// queue orders the timers.
type queue []*timer

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].due < q[j].due }
func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].place, q[j].place = i+1, j+1
}

// Push and Pop are for container/heap.
func (q *queue) Push(x any) {
	t := x.(*timer)
	t.place = len(*q) + 1
	*q = append(*q, t)
}

// Pop takes the last one off.
func (q *queue) Pop() any {
	old := *q
	t := old[len(old)-1]
	old[len(old)-1] = nil
	*q = old[:len(old)-1]
	t.place = 0
	return t
}

// rouse has the owner looked after at that instant, or earlier if that is so already.
func (m *Machine) rouse(t *timer, at words.Instant) {
	if t.place == 0 || at < t.due {
		m.settle(t, at)
	}
}

// settle has the owner looked after at that instant and not before.
func (m *Machine) settle(t *timer, at words.Instant) {
	t.due = at
	if t.place == 0 {
		heap.Push(&m.queue, t)
		return
	}
	heap.Fix(&m.queue, t.place-1)
}

// sleep takes the owner out of the queue.
func (m *Machine) sleep(t *timer) {
	if t.place != 0 {
		heap.Remove(&m.queue, t.place-1)
	}
}

// tendAll looks after all whose time has come. Who is roused meanwhile comes in the same turn.
func (m *Machine) tendAll() {
	for len(m.queue) > 0 && m.queue[0].due <= m.now {
		t := heap.Pop(&m.queue).(*timer)
		next := words.Never
		switch o := t.owner.(type) {
		case *link:
			next = m.tendLink(o)
			if m.links[o.id] != o {
				continue
			}
		case *instance:
			next = m.tendInstance(o)
			if m.instances[o.id] != o {
				continue
			}
		}
		m.rouse(t, next)
	}
}
