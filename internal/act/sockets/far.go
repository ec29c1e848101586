package sockets

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"redkeep/internal/words"
)

// far are the dialled connections of a loop with Config.Batch, in an epoll of their own. That is one of the files of the loop's own
// epoll, which tells at once when there is news, and while there is much it is not: the loop then looks after each Batch, and
// accepted connections and what is posted wait for nothing.
type far struct {
	poller
	batch   time.Duration
	crowded bool
	hurried bool
	looked  words.Instant
	// calm is how many looks in a row found nothing to gather.
	calm int
}

// open makes the epoll.
func (f *far) open(l *Loop) error {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return fmt.Errorf("make epoll: %w", err)
	}
	if err := l.poll.control(unix.EPOLL_CTL_ADD, int32(fd), unix.EPOLLIN, 0); err != nil {
		_ = unix.Close(fd)
		return fmt.Errorf("watch epoll: %w", err)
	}
	f.fd, f.batch = fd, l.config.Batch
	return nil
}

// due reports whether to look without being told.
func (f *far) due(now words.Instant) bool { return f.crowded && now.Sub(f.looked) >= f.batch }

// pollerOf is where a connection's events are told.
func (l *Loop) pollerOf(c *Conn) *poller {
	if c.dialled && l.far.fd >= 0 {
		return &l.far.poller
	}
	return &l.poll
}

// takeFar handles the news of dialled connections.
func (l *Loop) takeFar() {
	f := &l.far
	n := f.look()
	if n > 0 {
		l.news = l.now
	}
	soon := l.now.Sub(f.looked) < f.batch
	f.looked = l.now
	for i := range n {
		l.dispatch(&f.events[i])
	}
	if n > 1 || n == 1 && soon && !f.crowded {
		f.calm = 0
	} else {
		f.calm++
	}
	l.crowd(!f.hurried && (f.calm == 0 || f.crowded && f.calm < enduring))
}

// enduring is how many looks find one piece of news or none before each is told of at once again.
const enduring = 40

// crowd begins to let news add up, or ends it.
func (l *Loop) crowd(yes bool) {
	f := &l.far
	if f.crowded == yes {
		return
	}
	events := uint32(unix.EPOLLIN)
	if yes {
		events = 0
	}
	if err := l.poll.control(unix.EPOLL_CTL_MOD, int32(f.fd), events, 0); err == nil {
		f.crowded = yes
	}
}

// Hurry has no news wait, whatever Config.Batch is, until it is taken back.
func (l *Loop) Hurry(yes bool) {
	l.far.hurried = yes
	if yes {
		l.crowd(false)
	}
}
