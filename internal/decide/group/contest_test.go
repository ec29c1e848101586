package group

import (
	"testing"
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/decide/rank"
)

// TestBestWaitsForTheOthersSeal: a server is cut off in its own time, up to twice the drain, and only then can its agent say how far it
// is. Who is sealed at once must not win by the dead master's vote before that.
func TestBestWaitsForTheOthersSeal(t *testing.T) {
	s := newStand(decide.Setup{
		Group: "g", Voters: trio3, Data: trio3, Lease: time.Second, DownAfter: time.Second, BusyAfter: time.Second,
		ColdStartWait: time.Second, Patience: time.Second, Jiffy: 4 * time.Millisecond,
	})
	for _, h := range s.hosts {
		s.process(h, 0)
		s.agent(h, false)
	}
	s.run(2 * time.Second)
	m := s.host("h2").machine
	m.vacancy = &vacancy{since: m.at, ended: 1, sealed: m.at}
	m.releases["h1"] = decide.Release{Epoch: 1, Holder: "h1", Unfit: true}
	m.order = rank.Order(m.setup.Data, m.claims(), m.voter.Register.Rows, m.setup.Off)
	if wait := m.standAt(1).Sub(m.at); wait < 2*sealDrain+10*time.Millisecond || wait > 50*time.Millisecond {
		t.Errorf("while h3 has not spoken it waits %v", wait)
	}
	m.peers["h3"].status.Claim.Sealed = 1
	if wait := m.standAt(1).Sub(m.at); wait != 0 {
		t.Errorf("all have spoken, and it waits %v", wait)
	}
	if wait := m.standAt(2).Sub(m.at); wait < stagger || wait > sealWait {
		t.Errorf("all have spoken, and the second waits %v", wait)
	}
}

// TestOthersHoldBackForTheSuccessor for as long as the release takes to it and its questions to them, where the network is slow.
func TestOthersHoldBackForTheSuccessor(t *testing.T) {
	m := member("a", "b", "c")
	for _, c := range []struct{ rtt, want time.Duration }{
		{time.Millisecond, successorWait}, {100 * time.Millisecond, 300 * time.Millisecond}, {time.Second, m.setup.Lease / 2},
	} {
		m.peers["b"] = &peer{heard: m.at, rtt: c.rtt}
		if wait := m.holdBack(); wait != c.want {
			t.Errorf("round trip %v: they hold back %v, want %v", c.rtt, wait, c.want)
		}
	}
}
