package pair

import (
	"slices"
	"testing"
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/words"
)

// What a pair does is played in prove/sim, with both nodes and all that can befall them. Here are its parts.

func machine(at words.Instant) *Machine {
	m := New(Setup{
		Setup: decide.Setup{
			Group: "orders", Self: "h1", Voters: []words.Node{"h2", "h1"}, Data: []words.Node{"h1", "h2"}, Lease: time.Second,
			Jiffy: 4 * time.Millisecond, Random: func() uint64 { return 7 },
		},
		Advert: 300 * time.Millisecond, Down: time.Second,
	}, decide.Boot{Session: 1})
	m.Step(at, decide.Tick{})
	return m
}

func TestRefusals(t *testing.T) {
	at := words.Instant(time.Hour)
	m := machine(at)
	if why := m.refusal(); why.Code != words.OtherUnheard {
		t.Errorf("just started: %v", why)
	}
	m.Step(at, decide.Received{From: "h2", Session: 1, Message: decide.Status{}})
	if why := m.refusal(); why.Code != words.SegmentTaken {
		t.Errorf("the other is heard: %v", why)
	}
	m.Step(at.Add(1100*time.Millisecond), decide.Tick{})
	if why := m.refusal(); !why.Zero() {
		t.Errorf("quiet: %v", why)
	}
	m.Step(at.Add(1200*time.Millisecond), decide.Advertised{By: "10.0.0.9", Wrong: "has another password"})
	if why := m.refusal(); why.Code != words.AdvertWrong || why.Text != "10.0.0.9: has another password" {
		t.Errorf("a router that can't be understood: %v", why)
	}
	m.Step(at.Add(3*time.Second), decide.Advertised{By: "10.0.0.2", Down: time.Second})
	m.Step(at.Add(3*time.Second), decide.Advertised{By: "10.0.0.2", Leaving: true})
	if why := m.refusal(); why.Code != words.SegmentTaken {
		t.Errorf("somebody says that the other has left: %v", why)
	}
	m.Step(at.Add(3*time.Second), decide.Received{From: "h2", Session: 1, Message: decide.Release{Epoch: 2, Holder: "h2", Session: 1}})
	m.Step(at.Add(3*time.Second), decide.Received{From: "h2", Session: 1, Message: decide.Status{}})
	m.Step(at.Add(3*time.Second), decide.Advertised{By: "10.0.0.2", Leaving: true})
	if why := m.refusal(); !why.Zero() {
		t.Errorf("the other has left: %v", why)
	}
}

func TestEachHasItsOwnEpochs(t *testing.T) {
	m := machine(words.Instant(time.Hour))
	if m.setup.After(4) != 6 || m.setup.After(5) != 6 {
		t.Errorf("the first of two has epoch %d after 4", m.setup.After(4))
	}
}

// TestAnOldReleaseSaysNothing of the epoch that its sender has asked for since.
func TestAnOldReleaseSaysNothing(t *testing.T) {
	at := words.Instant(time.Hour)
	m := machine(at)
	hear := func(msg decide.Message) { m.Step(at, decide.Received{From: "h2", Session: 1, Message: msg}) }
	for _, asks := range []decide.Message{decide.Beat{Epoch: 5, Lease: time.Second, Generation: 1}, decide.Vote{Epoch: 7, Lease: time.Second, Generation: 1}} {
		hear(asks)
		hear(decide.Release{Epoch: 3, Holder: "h2", Session: 1})
		m.Step(at, decide.Advertised{By: "10.0.0.2", Leaving: true})
		if why := m.refusal(); why.Code != words.SegmentTaken {
			t.Errorf("after %T and an older release: %v", asks, why)
		}
	}
	hear(decide.Release{Epoch: 7, Holder: "h2", Session: 1})
	if why := m.refusal(); !why.Zero() {
		t.Errorf("the other has left: %v", why)
	}
	m = machine(at)
	m.setup.Off = decide.Rules{decide.ReleaseCurrent: true}
	hear(decide.Vote{Epoch: 7, Lease: time.Second, Generation: 1})
	hear(decide.Release{Epoch: 3, Holder: "h2", Session: 1})
	if why := m.refusal(); !why.Zero() {
		t.Errorf("without the rule: %v", why)
	}
}

// TestWhoCantBeUnderstoodStaysThere has the other node leave while a router is heard whose advertisements can't be accepted.
func TestWhoCantBeUnderstoodStaysThere(t *testing.T) {
	at := words.Instant(time.Hour)
	m := machine(at)
	m.Step(at, decide.Received{From: "h2", Session: 1, Message: decide.Status{}})
	at = at.Add(2 * time.Second)
	m.Step(at, decide.Advertised{By: "10.0.0.9", Wrong: "has another password"})
	m.Step(at.Add(10*time.Millisecond), decide.Received{From: "h2", Session: 1, Message: decide.Release{Epoch: 2, Holder: "h2", Session: 1}})
	m.Step(at.Add(10*time.Millisecond), decide.Advertised{By: "10.0.0.2", Leaving: true})
	if why := m.refusal(); why.Code != words.AdvertWrong {
		t.Errorf("the segment gives its vote: %v", why)
	}
	m.Step(at.Add(m.setup.Down), decide.Tick{})
	if why := m.refusal(); !why.Zero() {
		t.Errorf("it is no longer heard: %v", why)
	}
}

// TestPicture has the segment shown by its reasons, and as no node.
func TestPicture(t *testing.T) {
	at := words.Instant(time.Hour)
	m := machine(at)
	p := m.Picture()
	if !p.Pair || p.Ready || len(p.Members) != 2 {
		t.Errorf("just started: pair %v, ready %v, %d members", p.Pair, p.Ready, len(p.Members))
	}
	if len(p.Why) == 0 || p.Why[len(p.Why)-1].Code != words.OtherUnheard {
		t.Errorf("just started: %v", p.Why)
	}
	m.Step(at, decide.Received{From: "h2", Session: 1, Message: decide.Status{}})
	m.Step(at, decide.Advertised{By: "10.0.0.9", Wrong: "has another password"})
	if p = m.Picture(); p.Why[len(p.Why)-1].Code != words.AdvertWrong {
		t.Errorf("a stranger advertises: %v", p.Why)
	}
}

// TestStrangersAreNotedNowAndThen bounds what somebody else's advertisements write into the log.
func TestStrangersAreNotedNowAndThen(t *testing.T) {
	at := words.Instant(time.Hour)
	m := machine(at)
	notes := 0
	for i := range 3000 { // two minutes and a half
		for _, a := range m.Step(at.Add(time.Duration(i)*50*time.Millisecond), decide.Advertised{By: "10.0.0.9", Wrong: "is another's"}) {
			if n, ok := a.(decide.Note); ok && n.Reason.Code == words.AdvertWrong {
				notes++
			}
		}
	}
	if notes != 3 {
		t.Errorf("%d notes", notes)
	}
}

// TestForgeriesAreNamed has advertisements come in the other node's name, while its agent is heard: they are as many as it has sent while it is
// the master, and none else.
func TestForgeriesAreNamed(t *testing.T) {
	for _, c := range []struct {
		name   string
		says   []decide.Message // in each 300 ms
		advert int              // advertisements in that
		named  bool
	}{
		{"a master", []decide.Message{decide.Beat{Epoch: 5}, decide.Status{}}, 1, false},
		{"a master whose tie-breakers are slow", []decide.Message{decide.Beat{Epoch: 5}}, 7, false},
		{"its agent is filtered", nil, 1, false},
		{"a replica", []decide.Message{decide.Status{}}, 1, true},
		{"a master, and somebody quick", []decide.Message{decide.Beat{Epoch: 5}}, 12, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			at := words.Instant(time.Hour)
			m := machine(at)
			notes := 0
			for range 100 {
				at = at.Add(300 * time.Millisecond)
				for _, msg := range c.says {
					m.Step(at, decide.Received{From: "h2", Session: 1, Message: msg})
				}
				for range c.advert {
					for _, a := range m.Step(at, decide.Advertised{By: "10.0.0.2", Down: time.Second}) {
						if n, ok := a.(decide.Note); ok && n.Reason.Code == words.AdvertForged && n.Reason.Node == "h2" {
							notes++
						}
					}
				}
			}
			shown := func() bool {
				return slices.ContainsFunc(m.Picture().Why, func(r words.Reason) bool { return r.Code == words.AdvertForged })
			}
			if notes > 1 || notes == 1 != c.named || shown() != c.named {
				t.Errorf("%d notes, shown %v", notes, shown())
			}
			if m.Step(at.Add(time.Minute), decide.Tick{}); shown() {
				t.Error("shown for ever")
			}
		})
	}
}

// TestABurstIsNoForgery is an agent that gets all at once what was sent while it did not run: requests first, advertisements behind them.
func TestABurstIsNoForgery(t *testing.T) {
	for name, gone := range map[string]time.Duration{"frozen": 20 * time.Second, "its host's clock stood still, too": 0} {
		at := words.Instant(time.Hour)
		m := machine(at)
		m.Step(at, decide.Received{From: "h2", Session: 1, Message: decide.Beat{Epoch: 5}})
		at = at.Add(gone)
		for range 60 {
			m.Step(at, decide.Received{From: "h2", Session: 1, Message: decide.Beat{Epoch: 5}})
		}
		advertised := func() {
			for _, a := range m.Step(at, decide.Advertised{By: "10.0.0.2", Down: time.Second}) {
				if n, ok := a.(decide.Note); ok && n.Reason.Code == words.AdvertForged {
					t.Errorf("%s: %v", name, n)
				}
			}
		}
		for range 60 {
			advertised()
			at = at.Add(time.Millisecond)
		}
		for range 100 {
			at = at.Add(300 * time.Millisecond)
			m.Step(at, decide.Received{From: "h2", Session: 1, Message: decide.Beat{Epoch: 5}})
			advertised()
			if why := m.forged(); !why.Zero() {
				t.Fatalf("%s: %v", name, why)
			}
		}
	}
}
