package group

import (
	"testing"
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/words"
)

func pauseOf(count uint64, by words.Node, left time.Duration) words.Pause {
	return words.Pause{Count: count, By: by, For: time.Hour, Left: left}
}

func TestTheNewestPauseCounts(t *testing.T) {
	m := newVoter("h2", func(*words.Register) {})
	status := func(p words.Pause) decide.Status { return decide.Status{Generation: 1, Pause: p} }
	for i, c := range []struct {
		heard, want words.Pause
	}{
		{pauseOf(2, "h1", time.Hour), pauseOf(2, "h1", time.Hour)},
		{pauseOf(1, "h3", 0), pauseOf(2, "h1", time.Hour)},                       // older
		{pauseOf(2, "h1", 50*time.Minute), pauseOf(2, "h1", 50*time.Minute)},     // whoever has less left was not restarted
		{pauseOf(2, "h1", 55*time.Minute), pauseOf(2, "h1", 50*time.Minute)},     // who was, is
		{pauseOf(2, "h3", time.Minute), pauseOf(2, "h3", time.Minute)},           // two at once: the later name
		{pauseOf(2, "h2", time.Hour), pauseOf(2, "h3", time.Minute)},             // its rival
		{pauseOf(3, "h1", 0), pauseOf(3, "h1", 0)},                               // lifted
		{pauseOf(2, "h3", time.Minute), pauseOf(3, "h1", 0)},                     // late
		{pauseOf(4, "h1", 1000*time.Hour), pauseOf(4, "h1", words.LongestPause)}, // longer than any may be
	} {
		hear(m, "h1", status(c.heard))
		got := m.pause()
		if d := c.want.Left - got.Left; !got.Same(c.want) || d < 0 || d > 100*time.Millisecond {
			t.Errorf("%d: heard %+v, have %+v, want %+v", i, c.heard, got, c.want)
		}
	}
}

func TestAPauseCountsOnAfterARestart(t *testing.T) {
	m := newVoter("h2", func(r *words.Register) { r.Pause = pauseOf(2, "h1", time.Minute) })
	if why := m.whyPaused(); why.Code != words.Paused || why.N != 60_000 {
		t.Errorf("after a restart: %v", why)
	}
	m.Step(m.at.Add(30*time.Second), decide.Tick{})
	if left := m.copyRegister().Pause.Left; left != 30*time.Second {
		t.Errorf("%v is written, and 30s are left", left)
	}
	m.Step(m.at.Add(30*time.Second), decide.Tick{})
	if p := m.copyRegister().Pause; !m.whyPaused().Zero() || p.Left != 0 || p.Count != 2 {
		t.Errorf("after its end: %v, %+v is written", m.whyPaused(), p)
	}
}

// asksFor has a person ask, and returns what the machine answers when the others answer what they know, or nothing.
func asksFor(m *Machine, r decide.Request, others func(decide.Pausing) (decide.Pausing, bool)) (reply decide.Reply, answered bool) {
	queue := m.Step(m.at+1e6, decide.Asked{ID: 1, Request: r})
	for range 2000 {
		for len(queue) > 0 {
			a := queue[0]
			queue = queue[1:]
			switch v := a.(type) {
			case decide.Persist:
				queue = append(queue, m.Step(m.at+1e5, decide.Done{Ticket: v.Ticket})...)
			case decide.Send:
				if p, ok := v.Message.(decide.Pausing); ok && v.To == "h3" {
					if back, ok := others(p); ok {
						queue = append(queue, hear(m, v.To, back)...)
					}
				}
			case decide.Reply:
				return v, true
			}
		}
		at, _ := m.Wake()
		queue = m.Step(max(at, m.at+1e5), decide.Tick{})
	}
	return decide.Reply{}, false
}

func TestAPauseIsConfirmedByAMajority(t *testing.T) {
	m := newVoter("h2", func(*words.Register) {})
	r, ok := asksFor(m, decide.PauseFailover{For: time.Minute}, func(p decide.Pausing) (decide.Pausing, bool) {
		return decide.Pausing{Pause: p.Pause, Answer: true}, true
	})
	if !ok || r.Err != "" || m.whyPaused().Zero() {
		t.Errorf("answered %v %v, %v", ok, r, m.whyPaused())
	}
}

func TestAPauseOfAMinorityIsTakenBack(t *testing.T) {
	m := newVoter("h2", func(*words.Register) {})
	r, ok := asksFor(m, decide.PauseFailover{For: time.Minute}, func(decide.Pausing) (decide.Pausing, bool) { return decide.Pausing{}, false })
	if !ok || r.Why.Code != words.NoMajority || r.Why.N != 1 || !m.whyPaused().Zero() || m.pause().Count != 2 {
		t.Errorf("answered %v %v; then %v, %+v", ok, r.Why, m.whyPaused(), m.pause())
	}
}

// TestAResumeOvertakesWhatItHadNotHeardOf asks a node that knows of no pause to end one that the others have.
func TestAResumeOvertakesWhatItHadNotHeardOf(t *testing.T) {
	m := newVoter("h2", func(*words.Register) {})
	theirs := pauseOf(7, "h1", time.Minute)
	r, ok := asksFor(m, decide.ResumeFailover{}, func(p decide.Pausing) (decide.Pausing, bool) {
		if p.Pause.Newer(theirs) {
			theirs = p.Pause
		}
		return decide.Pausing{Pause: theirs, Answer: true}, true
	})
	if !ok || r.Err != "" || theirs.Count != 8 || theirs.By != "h2" || theirs.Left != 0 {
		t.Errorf("answered %v %v, and the others have %+v", ok, r, theirs)
	}
}

// TestTwoPersonsAtOnceComeToAnEnd has the others always know of something newer.
func TestTwoPersonsAtOnceComeToAnEnd(t *testing.T) {
	m := newVoter("h2", func(*words.Register) {})
	r, ok := asksFor(m, decide.ResumeFailover{}, func(p decide.Pausing) (decide.Pausing, bool) {
		return decide.Pausing{Pause: pauseOf(p.Pause.Count+1, "h1", time.Minute), Answer: true}, true
	})
	if !ok || r.Why.Code != words.PauseOvertaken || m.whyPaused().Zero() {
		t.Errorf("answered %v %v; paused: %v", ok, r, m.whyPaused())
	}
}
