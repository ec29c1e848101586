package demo

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"redkeep/internal/stage"
	"redkeep/internal/stage/clock"
	"redkeep/internal/stage/ether"
	"redkeep/internal/stage/observer"
	"redkeep/internal/stage/writer"
	"redkeep/internal/words"
)

// witnesses are those who saw what happened: the application, a client on each host that knows only that host's own
// server, and a third host that watches the address.
type witnesses struct {
	client *writer.Writer
	locals map[words.Node]*writer.Writer
	third  *observer.Observer
	ticks  time.Duration // of the locals
}

// witnessing is how witnesses are set up.
type witnessing struct {
	// name is the prefix of the client's keys.
	name string
	// interval is the client's, and local that of the clients on the hosts.
	interval, local time.Duration
	// limit is the number of writes after which the client stops; 0 for the writer's own.
	limit int
}

// watch starts the witnesses. Their stop must be called.
func (s *site) watch(ctx context.Context, o witnessing) (w *witnesses, err error) {
	w = &witnesses{locals: map[words.Node]*writer.Writer{}, ticks: o.local}
	defer func() {
		if err != nil {
			w.stop()
		}
	}()
	w.third, err = observer.Watch(observer.Options{
		Stage: s.Stage, Host: s.Host(thirdHost), Addresses: []netip.Addr{stage.VIP}, Port: stage.DefaultPort,
	})
	if err != nil {
		return w, err
	}
	for _, h := range s.Hosts() {
		w.locals[words.Node(h.Name())], err = writer.Start(ctx, writer.Options{
			Dial: h.Dial, Finder: writer.Fixed(h.Port(stage.DefaultPort)), Name: "local-" + h.Name(), Keys: 1, Stay: true, Interval: o.local,
		})
		if err != nil {
			return w, err
		}
	}
	w.client, err = s.WriteFixed(ctx, netip.AddrPortFrom(stage.VIP, stage.DefaultPort), writer.Options{
		Name: o.name, Interval: o.interval, Limit: o.limit,
	})
	return w, err
}

// stop ends them all.
func (w *witnesses) stop() {
	if w == nil {
		return
	}
	if w.client != nil {
		w.client.Stop()
	}
	for _, l := range w.locals {
		l.Stop()
	}
	if w.third != nil {
		_, _ = w.third.Stop() // what it did not see is not told
	}
}

// full reports whether one of them has ended at its limit.
func (w *witnesses) full() bool {
	ended := func(one *writer.Writer) bool {
		select {
		case <-one.Done():
			return true
		default:
			return false
		}
	}
	for _, l := range w.locals {
		if ended(l) {
			return true
		}
	}
	return ended(w.client)
}

// twoMasters returns for how long two hosts took writes since an instant, at the least: by what clients on the hosts were
// told, or by whose servers a third host could reach at the address, whichever is longer.
func (w *witnesses) twoMasters(since clock.Instant) time.Duration {
	var logs [][]writer.Write
	for _, l := range w.locals {
		logs = append(logs, from(l.Writes(), since))
	}
	return max(writer.Overlap(logs, 4*w.ticks), w.third.TwoAnswer(stage.VIP, since, observer.Served...))
}

// announced returns when a third host first saw a frame, after an instant, that says the address is at another host than
// the old one, and at which.
func (w *witnesses) announced(after clock.Instant, old words.Node) (at clock.Instant, by string, ok bool) {
	claims := w.third.Claims()
	for i := len(claims) - 1; i >= 0 && claims[i].At >= after; i-- {
		c := claims[i]
		if c.By != string(old) && slices.Contains([]ether.Kind{ether.Asks, ether.Replies, ether.Advertises}, c.Kind) {
			at, by, ok = c.At, c.By, true
		}
	}
	return at, by, ok
}

// from returns the writes that were sent at an instant or later.
func from(writes []writer.Write, since clock.Instant) []writer.Write {
	i := len(writes)
	for i > 0 && writes[i-1].Sent >= since {
		i--
	}
	return writes[i:]
}

// firstAck is the first write after an instant that another host than the old one acknowledged.
func firstAck(writes []writer.Write, after clock.Instant, old *stage.Host) (first writer.Write, ok bool) {
	for _, w := range from(writes, after) {
		if w.OK() && w.Node.Addr() != old.Addr() {
			return w, true
		}
	}
	return first, false
}

// lastAck is when the last write was acknowledged, and when the first after it that was not had been sent: 0 for none.
func lastAck(writes []writer.Write) (last, refused clock.Instant) {
	for i := len(writes) - 1; i >= 0; i-- {
		if writes[i].OK() {
			return writes[i].Acked, refused
		}
		refused = writes[i].Sent
	}
	return 0, refused
}

// acks counts the writes that were acknowledged after an instant.
func acks(writes []writer.Write, after clock.Instant) (count int) {
	for i := len(writes) - 1; i >= 0 && writes[i].Sent >= after-clock.Instant(writer.DefaultTimeout); i-- {
		if writes[i].OK() && writes[i].Acked >= after {
			count++
		}
	}
	return count
}
