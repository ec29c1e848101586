package sim

import (
	"container/heap"
	"time"
)

// happening is something that comes about at an instant of true time.
type happening struct {
	at  time.Duration
	seq uint64
	do  func()
}

// queue holds what is to come, earliest first; what falls on one instant happens in the order in which it was queued.
type queue struct {
	heap []happening
	seq  uint64
}

func (q *queue) Len() int { return len(q.heap) }
func (q *queue) Less(i, j int) bool {
	a, b := q.heap[i], q.heap[j]
	return a.at < b.at || a.at == b.at && a.seq < b.seq
}
func (q *queue) Swap(i, j int) { q.heap[i], q.heap[j] = q.heap[j], q.heap[i] }
func (q *queue) Push(x any)    { q.heap = append(q.heap, x.(happening)) }
func (q *queue) Pop() any {
	last := len(q.heap) - 1
	h := q.heap[last]
	q.heap[last] = happening{}
	q.heap = q.heap[:last]
	return h
}

func (q *queue) add(at time.Duration, do func()) {
	q.seq++
	heap.Push(q, happening{at: at, seq: q.seq, do: do})
}

func (q *queue) next() (happening, bool) {
	if len(q.heap) == 0 {
		return happening{}, false
	}
	return heap.Pop(q).(happening), true
}
