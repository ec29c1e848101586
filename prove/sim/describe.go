package sim

import (
	"fmt"
	"net/netip"
	"strings"

	"redkeep/internal/decide"
	"redkeep/internal/words"
)

// addresses are the data nodes' servers, as Setup wants them.
func (w *World) addresses() map[words.Node]netip.AddrPort {
	m := map[words.Node]netip.AddrPort{}
	for _, h := range w.hosts[:w.plan.Data] {
		m[h.name] = netip.AddrPortFrom(h.addr, redisPort)
	}
	return m
}

// logEvent writes an event into the log, but for the commonest.
func (w *World) logEvent(s *seat, ev decide.Event) {
	switch v := ev.(type) {
	case decide.Received:
		switch v.Message.(type) {
		case decide.Status, decide.Beat, decide.Grant, decide.Refuse, decide.ReleaseSeen:
			return
		}
		w.log("%s %s <- %s: %s", s.host().name, w.groups[s.group], v.From, shown{v.Message})
	case decide.Ordered:
		w.log("%s %s   ordered #%d %s", s.host().name, w.groups[s.group], v.Ticket, v.Err)
	case decide.Done:
		if v.Err != "" {
			w.log("%s %s   done #%d: %s", s.host().name, w.groups[s.group], v.Ticket, v.Err)
		}
	case decide.Seen, decide.Tick, decide.Silent:
	default:
		w.log("%s %s   event %s", s.host().name, w.groups[s.group], shown{ev})
	}
}

// logAction writes an action into the log, but for the commonest.
func (w *World) logAction(s *seat, a decide.Action) {
	switch v := a.(type) {
	case decide.Send:
		switch v.Message.(type) {
		case decide.Status, decide.Beat, decide.Grant, decide.Refuse, decide.ReleaseSeen:
			return
		}
		w.log("%s %s -> %s: %s", s.host().name, w.groups[s.group], v.To, shown{v.Message})
	case decide.Arm, decide.Persist:
	case decide.SetGate:
		if v.Gate.Mode != decide.GateSlot {
			w.log("%s %s   gate %v #%d", s.host().name, w.groups[s.group], v.Gate, v.Ticket)
		}
	default:
		w.log("%s %s   %s", s.host().name, w.groups[s.group], shown{a})
	}
}

// shown prints a value of the core in one line, shortened.
type shown struct{ v any }

func (s shown) String() string {
	t := fmt.Sprintf("%T%+v", s.v, s.v)
	t = strings.TrimPrefix(t, "decide.")
	if len(t) > 260 {
		t = t[:260] + "…"
	}
	return t
}
