package sim

import (
	"time"

	"redkeep/internal/decide"
)

// pairDown is how long a pair's routers wait, in advertisements' times: three, and the skew.
const pairDown = 3.1

// advertise has the segment carry an advertisement. That it has left says nothing of who hears it: a host whose cable ends nowhere sends
// as well as any other. It says how often its sender speaks, which a file that was edited may have otherwise than the hearer's.
func (s *seat) advertise(v decide.Advertise) {
	a, w := s.agent, s.w
	from := a.host
	if from.speechless {
		a.later(netHand, 10*time.Microsecond, func() {
			a.post(s.group, decide.Done{Ticket: v.Ticket, Err: "no such device"})
		})
		return
	}
	a.later(netHand, w.between(5*time.Microsecond, 50*time.Microsecond), func() {
		for _, to := range w.hosts {
			if to == from || w.net.paths[from.index][to.index].cut {
				continue
			}
			heard := decide.Advertised{By: string(from.name), Leaving: v.Leaving, Down: advertDown(s.lease)}
			w.after(w.net.delay(from.index, to.index), func() {
				if b := to.agent(); b != nil && to.power && !w.net.paths[from.index][to.index].cut {
					b.post(s.group, heard)
				}
			})
		}
		a.post(s.group, decide.Done{Ticket: v.Ticket})
	})
}

// forgeLeaving has somebody on the segment say to one node, in the other one's name, that its time is over.
func (w *World) forgeLeaving(from, to *host) {
	for _, s := range to.agent().seats {
		to.agent().post(s.group, decide.Advertised{By: string(from.name), Leaving: true, Down: advertDown(s.lease)})
	}
}

// advertDown is for how long an advertisement keeps the others quiet, of a pair whose lease is three of them.
func advertDown(lease time.Duration) time.Duration {
	return time.Duration(pairDown / 3 * float64(lease))
}
