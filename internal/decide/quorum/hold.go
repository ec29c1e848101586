package quorum

import (
	"slices"
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/words"
)

// Hold is the right to be the writable master in one epoch, as the grants of one session make it. Grants of two epochs are
// never added up: an election begins a new Hold.
type Hold struct {
	Epoch words.Epoch
	asked map[words.Seq]asked
	// granted is each voter's latest granted request.
	granted map[words.Node]words.Seq
	lasts   time.Duration // lease less the allowance
	// Active is the request whose slot the gate points at, 0 before the first.
	Active words.Seq
}

// asked is one request for the lease: a beat or a vote, and the slot armed for it.
type asked struct {
	sent words.Instant
	slot int
}

// NewHold begins a hold of an epoch whose requests each last for the given time.
func NewHold(e words.Epoch, lasts time.Duration) *Hold {
	return &Hold{Epoch: e, asked: map[words.Seq]asked{}, granted: map[words.Node]words.Seq{}, lasts: lasts}
}

// Slot returns a slot for the next request: the oldest that the gate can't point at, which is neither the active one nor the
// one that it was last confirmed to point at, -1 for none. Requests that had it are forgotten: a grant for one of them is
// ignored from now on.
func (h *Hold) Slot(confirmed int) int {
	var newest [decide.Slots]words.Seq
	for q, a := range h.asked {
		newest[a.slot] = max(newest[a.slot], q)
	}
	best, taken := -1, -1
	if a, ok := h.asked[h.Active]; ok {
		taken = a.slot
	}
	for s := range newest {
		if s != taken && s != confirmed && (best < 0 || newest[s] < newest[best]) {
			best = s
		}
	}
	for q, a := range h.asked {
		if a.slot == best {
			delete(h.asked, q)
		}
	}
	return best
}

// Reserve keeps the gate's present slot from being armed, where a hold begins while the gate already points at one.
func (h *Hold) Reserve(slot int, q words.Seq) {
	h.asked[q] = asked{slot: slot}
	h.Active = q
}

// Sent records a request: its slot was armed before, and the clock was read after that and before the message left (rules
// arm-before-send, hold-from-send).
func (h *Hold) Sent(q words.Seq, slot int, at words.Instant) {
	h.asked[q] = asked{sent: at, slot: slot}
}

// Knows reports whether the request can still count.
func (h *Hold) Knows(q words.Seq) bool { _, ok := h.asked[q]; return ok }

// Granted records a voter's grant.
func (h *Hold) Granted(n words.Node, q words.Seq) { h.granted[n] = max(h.granted[n], q) }

// GrantedBy reports whether the voter has granted the request, or a later one.
func (h *Hold) GrantedBy(n words.Node, q words.Seq) bool { return h.granted[n] >= q }

// Until returns the end of the hold, and the request that it rests on: the latest that a majority has granted at or
// after. It is false while there is none.
func (h *Hold) Until(l Lists) (words.Instant, words.Seq, bool) {
	seqs := make([]words.Seq, 0, len(h.asked))
	for q, a := range h.asked {
		if a.sent != 0 {
			seqs = append(seqs, q)
		}
	}
	slices.Sort(seqs)
	for _, q := range slices.Backward(seqs) {
		if l.Majority(func(n words.Node) bool { return h.granted[n] >= q }) {
			return h.asked[q].sent.Add(h.lasts), q, true
		}
	}
	return 0, 0, false
}

// SlotOf returns the slot that was armed for the request.
func (h *Hold) SlotOf(q words.Seq) int { return h.asked[q].slot }
