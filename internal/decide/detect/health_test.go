package detect

import (
	"testing"
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/words"
)

const begin = words.Instant(time.Minute)

func after(d time.Duration) words.Instant { return begin.Add(d) }

// seen is a server that answered at the beginning.
func seen() *Health {
	h := New(decide.Setup{Self: "a", DownAfter: time.Second, BusyAfter: 30 * time.Second})
	h.Seen(begin)
	return h
}

// TestSilenceHasClasses, each with its budget: what the process does meanwhile decides.
func TestSilenceHasClasses(t *testing.T) {
	for _, c := range []struct {
		name   string
		silent decide.Silent
		budget time.Duration
		class  words.Code
	}{
		{"nothing known", decide.Silent{}, time.Second, words.ServerSilent},
		{"running, idle", decide.Silent{Process: decide.ProcessRunning}, time.Second, words.ServerSilent},
		{"running, at work", decide.Silent{Process: decide.ProcessRunning, Busy: true}, 30 * time.Second, words.ServerBusy},
		{"stopped", decide.Silent{Process: decide.ProcessStopped}, time.Second, words.ServerStopped},
		{"stopped after work", decide.Silent{Process: decide.ProcessStopped, Busy: true}, time.Second, words.ServerStopped},
	} {
		h := seen()
		h.Silent(c.silent)
		if why := h.Down(after(c.budget - 1)); !why.Zero() {
			t.Errorf("%s: given up within the budget: %v", c.name, why)
		}
		if wake := h.Wake(begin); wake != after(c.budget) {
			t.Errorf("%s: wakes at %v, want %v", c.name, wake, after(c.budget))
		}
		if why := h.Down(after(c.budget)); why.Code != c.class || why.M != c.budget.Milliseconds() {
			t.Errorf("%s: %v, want %s", c.name, why, c.class)
		}
		if wake := h.Wake(after(c.budget)); wake != words.Never {
			t.Errorf("%s: wakes at %v for a silence that is over its budget", c.name, wake)
		}
	}
}

func TestDeathNeedsNoBudget(t *testing.T) {
	for name, die := range map[string]func(*Health){
		"exited":            func(h *Health) { h.Lost(decide.LossExited) },
		"refused":           func(h *Health) { h.Lost(decide.LossRefused) },
		"process not found": func(h *Health) { h.Silent(decide.Silent{Process: decide.ProcessGone}) },
	} {
		h := seen()
		die(h)
		if why := h.Down(begin); why.Code != words.ServerGone {
			t.Errorf("%s: %v", name, why)
		}
		h.Seen(after(1))
		if why := h.Down(after(1)); !why.Zero() {
			t.Errorf("%s, then an answer: %v", name, why)
		}
	}
}

// TestClosedConnectionIsNoDeath: a client may have killed it.
func TestClosedConnectionIsNoDeath(t *testing.T) {
	h := seen()
	h.Lost(decide.LossClosed)
	if why := h.Down(begin); !why.Zero() || h.Gone() {
		t.Errorf("given up: %v", why)
	}
}

func TestComplaintsAreAnswers(t *testing.T) {
	h := seen()
	h.Complained(after(900*time.Millisecond), decide.Complained{Kind: decide.ComplaintBusy})
	if why := h.Down(after(20 * time.Second)); !why.Zero() {
		t.Errorf("a script's server was given up: %v", why)
	}
	if why := h.Down(after(31 * time.Second)); why.Code != words.ServerBusy {
		t.Errorf("after its budget: %v", why)
	}
}

func TestNeverSeen(t *testing.T) {
	h := New(decide.Setup{Self: "a", DownAfter: time.Second})
	if why := h.Down(begin); why.Code != words.NotSeen || h.Wake(begin) != words.Never {
		t.Errorf("%v", why)
	}
	h.Complained(begin, decide.Complained{Kind: decide.ComplaintLoading})
	if why := h.Down(begin); why.Code != words.NotSeen {
		t.Errorf("a server that only loads has been seen: %v", why)
	}
}

// TestRefusalsAreNoAnswers: a server that does not take the agent's login says so, and is told of with its own words.
func TestRefusalsAreNoAnswers(t *testing.T) {
	const word = "NOAUTH Authentication required."
	h := New(decide.Setup{Self: "a", DownAfter: time.Second})
	h.Complained(begin, decide.Complained{Kind: decide.ComplaintAuth, Text: word})
	if why := h.Down(begin); why.Code != words.NotSeen || why.Text != word {
		t.Errorf("at first: %v", why)
	}
	h = seen()
	h.Complained(after(500*time.Millisecond), decide.Complained{Kind: decide.ComplaintAuth, Text: word})
	if why := h.Down(after(900 * time.Millisecond)); !why.Zero() {
		t.Errorf("given up before its time: %v", why)
	}
	if why := h.Down(after(2 * time.Second)); why.Code != words.ServerSilent || why.Text != word {
		t.Errorf("later: %v", why)
	}
	h.Seen(after(2 * time.Second))
	if why := h.Down(after(4 * time.Second)); why.Text != "" {
		t.Errorf("after an answer: %v", why)
	}
}

// TestOwnSleepIsNoSilence: an agent that was frozen asks again before it gives its server up.
func TestOwnSleepIsNoSilence(t *testing.T) {
	h := seen()
	h.Slept(after(5*time.Second), 4500*time.Millisecond)
	if why := h.Down(after(5 * time.Second)); !why.Zero() {
		t.Errorf("given up for the agent's own sleep: %v", why)
	}
	if why := h.Down(after(5500 * time.Millisecond)); why.Code != words.ServerSilent {
		t.Errorf("after the rest of the budget: %v", why)
	}
}
