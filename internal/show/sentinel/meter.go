package sentinel

import "time"

// counts are what INFO tells of all conversations since the start.
type counts struct {
	requests, errors int64
	// reads are calls of Receive, writes those of Send, in and out their bytes.
	reads, writes, in, out int64
}

// meter measures how fast some counts grow, over the last second or so. It is looked at with each read, and has no timer.
type meter struct {
	since time.Time
	from  counts
	last  rates
}

// rates are counts a second.
type rates struct{ requests, in, out float64 }

// metered is how long counts are added up.
const metered = time.Second

// tick begins anew when a second is over.
func (m *meter) tick(n counts, now time.Time) {
	past := now.Sub(m.since)
	if past < metered {
		return
	}
	per := func(from, to int64) float64 { return float64(to-from) / past.Seconds() }
	m.last = rates{per(m.from.requests, n.requests), per(m.from.in, n.in), per(m.from.out, n.out)}
	m.since, m.from = now, n
}

// read returns the rates.
func (m *meter) read(n counts, now time.Time) rates {
	m.tick(n, now)
	return m.last
}

// counted counts a call of Receive.
func (f *Face) counted(used int, now time.Time) {
	f.counts.reads++
	f.counts.in += int64(used)
	f.meter.tick(f.counts, now)
}
