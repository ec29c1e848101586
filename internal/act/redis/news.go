package redis

import (
	"sync"
	"time"
)

// settleSoon is when a look that was no news is repeated.
const settleSoon = 2 * time.Millisecond

// news decides whether a look of the watch still says how things are. One that was asked for before the connection for
// orders was fenced may be overtaken by an order that the server has not read yet, of a killed agent or one that was given
// up; one asked for before an order was carried out has been overtaken by that (rule order-fence).
type news struct {
	mu sync.Mutex
	// settled is when the last order was answered, or the fence before it stood; zero while there is no fence. Guarded by mu.
	settled time.Time
}

// settle says that all orders so far have been carried out or are dead.
func (n *news) settle(at time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.settled = at
}

// unsettle says that an order may be on its way.
func (n *news) unsettle() { n.settle(time.Time{}) }

func (n *news) isSettled() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return !n.settled.IsZero()
}

// tell reports a look that was asked for at an instant, if it is news. An order's answer waits meanwhile, so that no look of
// before it is told after it.
func (n *news) tell(asked time.Time, report func()) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.settled.IsZero() || asked.Before(n.settled) {
		return false
	}
	report()
	return true
}
