package agent

import "context"

// queue runs the calls of one hand in the order in which they came, on a goroutine of its own, so that the loop never
// waits for a system call.
type queue struct{ calls chan func(context.Context) }

// queueSize bounds what one hand has before it. A machine has at most a few calls under way; one beyond that fails.
const queueSize = 256

func newQueue() *queue { return &queue{calls: make(chan func(context.Context), queueSize)} }

// add appends a call, and reports false where the hand is hopelessly behind.
func (q *queue) add(call func(context.Context)) bool {
	select {
	case q.calls <- call:
		return true
	default:
		return false
	}
}

// run works until the context ends.
func (q *queue) run(ctx context.Context) error {
	for {
		select {
		case call := <-q.calls:
			call(ctx)
		case <-ctx.Done():
			return nil
		}
	}
}
