package quorum

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"redkeep/internal/decide"
	"redkeep/internal/words"
)

const (
	lasts = 850 * time.Millisecond
	begin = words.Instant(time.Second)
)

var (
	three = Lists{Members: []words.Node{"a", "b", "c"}}
	five  = Lists{Members: []words.Node{"a", "b", "c", "d", "e"}}
)

func ms(n int) words.Instant { return begin.Add(time.Duration(n) * time.Millisecond) }

// ask arms a slot for a request and sends it.
func ask(h *Hold, q words.Seq, at words.Instant) { h.Sent(q, h.Slot(-1), at) }

func TestNoHoldBelowAMajority(t *testing.T) {
	h := NewHold(1, lasts)
	ask(h, 1, ms(0))
	h.Granted("a", 1)
	if _, _, ok := h.Until(three); ok {
		t.Error("one of three made a hold")
	}
	h.Granted("c", 1)
	if until, q, ok := h.Until(three); !ok || q != 1 || until != ms(0).Add(lasts) {
		t.Errorf("two of three: until %v by request %d (%v)", until, q, ok)
	}
	if _, _, ok := h.Until(five); ok {
		t.Error("two of five made a hold")
	}
}

// TestHoldCountsFromTheSending and not from the answers: late ones prolong nothing (hold-from-send).
func TestHoldCountsFromTheSending(t *testing.T) {
	h := NewHold(1, lasts)
	ask(h, 1, ms(0))
	ask(h, 2, ms(100))
	h.Granted("a", 2)
	h.Granted("b", 1)
	if until, q, _ := h.Until(three); q != 1 || until != ms(0).Add(lasts) {
		t.Errorf("until %v by request %d, want the first request's", until, q)
	}
	h.Granted("b", 2)
	h.Granted("b", 1)
	if until, q, _ := h.Until(three); q != 2 || until != ms(100).Add(lasts) {
		t.Errorf("until %v by request %d, want the second's", until, q)
	}
}

// TestBothListsCount while the list of voters is being changed (persisted-members).
func TestBothListsCount(t *testing.T) {
	l := Lists{Members: []words.Node{"a"}, Pending: []words.Node{"a", "b", "c"}}
	h := NewHold(1, lasts)
	ask(h, 1, ms(0))
	h.Granted("a", 1)
	if _, _, ok := h.Until(l); ok {
		t.Error("the old list's majority alone made a hold")
	}
	h.Granted("c", 1)
	if _, _, ok := h.Until(l); !ok {
		t.Error("majorities of both lists made none")
	}
	other := Lists{Members: []words.Node{"d"}, Pending: []words.Node{"a", "b", "c"}}
	if _, _, ok := h.Until(other); ok {
		t.Error("the new list's majority alone made a hold")
	}
}

// TestGrantOfARearmedSlotIsIgnored: its element stands for a later request.
func TestGrantOfARearmedSlotIsIgnored(t *testing.T) {
	h := NewHold(1, lasts)
	for q := words.Seq(1); q <= decide.Slots+1; q++ {
		ask(h, q, ms(int(q)))
	}
	if h.Knows(1) {
		t.Fatal("the request whose slot was armed again is known still")
	}
	h.Granted("a", 1)
	h.Granted("b", 1)
	if until, q, ok := h.Until(three); ok {
		t.Errorf("it made a hold until %v by request %d", until, q)
	}
}

// TestPointedSlotIsNotArmed: neither the one asked for nor the one confirmed, whatever came of the last order to the gate.
func TestPointedSlotIsNotArmed(t *testing.T) {
	h := NewHold(1, lasts)
	h.Reserve(4, 1)
	for q := words.Seq(2); q < 60; q++ {
		s := h.Slot(7)
		if s == 4 || s == 7 {
			t.Fatalf("request %d arms slot %d", q, s)
		}
		h.Sent(q, s, ms(int(q)))
	}
	if h.SlotOf(1) != 4 || !h.Knows(1) {
		t.Error("the reserved slot was lost")
	}
}

// TestHoldAgainstOracle compares with the definition, written out: per voter the latest granted request; the hold lasts from the
// latest sending that a majority of each list granted at or after. The slot pointed at is never armed.
func TestHoldAgainstOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lists := rapid.SampledFrom([]Lists{three, five, {Members: three.Members, Pending: five.Members}, {Members: five.Members[2:], Pending: three.Members}}).Draw(t, "lists")
		h := NewHold(1, lasts)
		sent, slots, grants := map[words.Seq]words.Instant{}, map[words.Seq]int{}, map[words.Node]words.Seq{}
		at, last, active := ms(0), words.Seq(0), -1
		t.Repeat(map[string]func(*rapid.T){
			"beat": func(t *rapid.T) {
				at = at.Add(time.Duration(rapid.IntRange(1, 99).Draw(t, "later")))
				last++
				s := h.Slot(-1)
				if s < 0 || s >= decide.Slots || s == active {
					t.Fatalf("request %d arms slot %d, the gate points at %d", last, s, active)
				}
				for q, old := range slots {
					if old == s {
						delete(slots, q)
						delete(sent, q)
					}
				}
				h.Sent(last, s, at)
				sent[last], slots[last] = at, s
			},
			"grant": func(t *rapid.T) {
				n := rapid.SampledFrom(lists.All()).Draw(t, "voter")
				q := words.Seq(rapid.Uint64Range(0, uint64(last)).Draw(t, "request"))
				h.Granted(n, q)
				grants[n] = max(grants[n], q)
			},
			"point": func(*rapid.T) {
				if _, q, ok := h.Until(lists); ok {
					h.Active, active = q, h.SlotOf(q)
				}
			},
			"": func(t *rapid.T) {
				until, q, ok := h.Until(lists)
				want, wanted := oracle(lists, sent, grants)
				if ok != wanted || ok && until != want.Add(lasts) {
					t.Fatalf("until %v by %d (%v), want from %v (%v)", until, q, ok, want, wanted)
				}
				if ok && (sent[q] != want || h.SlotOf(q) != slots[q]) {
					t.Fatalf("the hold rests on request %d, sent at %v in slot %d", q, sent[q], h.SlotOf(q))
				}
			},
		})
	})
}

// oracle finds the sending from which a hold lasts by trying each.
func oracle(l Lists, sent map[words.Seq]words.Instant, grants map[words.Node]words.Seq) (best words.Instant, ok bool) {
	for q, at := range sent {
		enough := true
		for _, list := range [][]words.Node{l.Members, l.Pending} {
			yes := slices.DeleteFunc(slices.Clone(list), func(n words.Node) bool { return grants[n] < q })
			enough = enough && (len(list) == 0 || 2*len(yes) > len(list))
		}
		if enough && (!ok || at > best) {
			best, ok = at, true
		}
	}
	return best, ok
}
