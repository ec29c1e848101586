package vrrp

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"redkeep/internal/words"
)

// TestEachStepUpWaitsForTheOneBefore answers one step at a time.
func TestEachStepUpWaitsForTheOneBefore(t *testing.T) {
	b := began(t, three(func(r *Router) { r.Asks = true }))
	delay[Ask](b)
	delay[Probe](b)
	delay[Advertise](b)
	delay[Promote](b)
	delay[SetAddress](b)
	b.done("BACKUP")
	b.pass(3610 * time.Millisecond)
	for _, want := range [][]string{{"Ask"}, {"Probe"}, {"Advertise"}, {"Promote"}, {"SetAddress"}, {"Announce", "MASTER"}} {
		b.done(want...)
		if len(b.owing) > 0 {
			b.answer("")
		}
	}
}

// TestAddressGoesBeforeASuccessorIsInvited answers one step down at a time.
func TestAddressGoesBeforeASuccessorIsInvited(t *testing.T) {
	b := master(t, three())
	delay[Demote](b)
	delay[DropAddress](b)
	b.step(Stop{})
	b.done("Demote")
	b.answer("")
	b.done("DropAddress")
	b.answer("")
	b.done("Leave", "STOP")
}

func TestWhatStaysInvitesNobody(t *testing.T) {
	b := master(t, three())
	fail[DropAddress](b, "operation not permitted")
	b.step(Stop{})
	b.done("Demote", "DropAddress", "STOP")
}

func TestASilentHandIsNotWaitedForForever(t *testing.T) {
	b := master(t, three())
	delay[Demote](b)
	delay[DropAddress](b)
	b.step(Stop{})
	b.pass(2 * patience)
	b.is(Stopped)
	b.done("Demote", "DropAddress", "STOP")
}

func TestAStepThatFails(t *testing.T) {
	for _, c := range []struct {
		name string
		fail func(*bench)
		want []string
		what What
	}{
		{"ask", func(b *bench) { fail[Ask](b, "the gateway does not answer") }, []string{"BACKUP", "Ask"}, Refused},
		{"advertise", func(b *bench) { fail[Advertise](b, "no buffer") }, []string{"BACKUP", "Ask", "Probe", "Advertise", "Leave"}, Unsent},
		{"promote", func(b *bench) { fail[Promote](b, "loading") },
			[]string{"BACKUP", "Ask", "Probe", "Advertise", "Promote", "Demote", "DropAddress", "Leave"}, Unpromoted},
		{"address", func(b *bench) { fail[SetAddress](b, "no device") },
			[]string{"BACKUP", "Ask", "Probe", "Advertise", "Promote", "SetAddress", "Demote", "DropAddress", "Leave"}, Unset},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := began(t, three(func(r *Router) { r.Asks = true }))
			c.fail(b)
			b.pass(3700 * time.Millisecond)
			b.is(Backup)
			if got := b.view().Troubles; len(got) != 1 || got[0].What != c.what || got[0].Theirs == "" {
				t.Errorf("told of %v", got)
			}
			b.done(c.want...)
			clear(b.fails)
			b.masterAfter(2*3609375*time.Microsecond - 3700*time.Millisecond)
			if got := b.view().Troubles; len(got) != 0 {
				t.Errorf("still told of %v", got)
			}
		})
	}
}

// TestAnAddressThatIsTaken is a host whose agent is dead and whose address is not. Whoever is only late in leaving is not told of.
func TestAnAddressThatIsTaken(t *testing.T) {
	b := began(t, three())
	b.did = nil
	fail[Probe](b, "02:00:00:00:00:01")
	b.pass(3610 * time.Millisecond)
	fail[Probe](b, "")
	b.pass(50 * time.Millisecond)
	b.is(Master)
	b.done("Probe", "Probe", "Advertise", "Promote", "SetAddress", "Announce", "MASTER")

	b = began(t, three())
	fail[Probe](b, "02:00:00:00:00:01")
	b.pass(4500 * time.Millisecond)
	if got := b.view().Troubles; len(got) != 0 {
		t.Errorf("told too soon of %v", got)
	}
	b.pass(200 * time.Millisecond)
	if got := b.view().Troubles; len(got) != 1 || got[0].String() != "address taken: 02:00:00:00:00:01" {
		t.Errorf("told of %v", got)
	}
	b.is(Backup)
	fail[Probe](b, "")
	b.pass(4 * time.Second)
	b.is(Master)
	if count[Advertise](b) > 4 {
		t.Error("claimed before")
	}
}

// TestWhoPreemptsClaimsFirst is that a master of lower priority has the address until it hears the claim.
func TestWhoPreemptsClaimsFirst(t *testing.T) {
	b := began(t, three())
	for range 3 {
		b.pass(time.Second)
		b.hear(above, 50)
	}
	b.did = nil
	fail[Probe](b, "the one before")
	b.pass(650 * time.Millisecond)
	b.is(Master)
	b.done("Advertise", "Probe")
	fail[Probe](b, "")
	b.pass(100 * time.Millisecond)
	b.done("Probe", "Promote", "SetAddress", "Announce", "MASTER")

	b = began(t, three())
	for range 3 {
		b.pass(time.Second)
		b.hear(above, 50)
	}
	b.did = nil
	fail[Probe](b, "one that does not leave")
	b.pass(2 * time.Second)
	b.is(Backup)
	if got := b.kinds(); got[len(got)-1] != "Leave" {
		t.Errorf("did %v", got)
	}
}

// TestAMasterThatComesDownIsPreempted is one that was obeyed until its own priority fell, or until preempt_delay was over: it still has the address,
// and leaves it when it hears the claim. Another one that says a lower priority beside it is no sign of that.
func TestAMasterThatComesDownIsPreempted(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Router)
		heard  []uint8
		by     netip.Addr
		want   string
	}{
		"priority":      {func(*Router) {}, []uint8{150, 150, 50, 50, 50}, above, "Advertise"},
		"preempt_delay": {func(r *Router) { r.PreemptDelay = 1500 * time.Millisecond }, []uint8{50, 50, 50, 50, 50}, above, "Advertise"},
		"another":       {func(*Router) {}, []uint8{150, 150, 50, 50, 50}, below, "Probe"},
	} {
		b := began(t, three(c.change))
		for i, p := range c.heard {
			from := above
			if i > 1 {
				from = c.by
			}
			b.pass(time.Second)
			b.hear(from, p)
		}
		b.did = nil
		fail[Probe](b, "the one before")
		b.pass(650 * time.Millisecond)
		if got := b.kinds(); len(got) == 0 || got[0] != c.want {
			t.Errorf("%s: did %v, want %s first", name, got, c.want)
		}
		if c.want == "Probe" {
			continue
		}
		fail[Probe](b, "")
		b.pass(100 * time.Millisecond)
		b.is(Master)
		if got := b.view().Step; got != Standing {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestAMasterIsHeardBeforeTheClaim(t *testing.T) {
	b := began(t, three())
	delay[Probe](b)
	b.pass(3700 * time.Millisecond)
	b.hear(above, 200)
	b.answer("")
	b.is(Backup)
	b.done("BACKUP", "Probe")
}

func TestAMasterIsHeardDuringThePromotion(t *testing.T) {
	b := began(t, three())
	delay[Promote](b)
	b.pass(3700 * time.Millisecond)
	b.hear(above, 200)
	b.is(Backup)
	b.answer("")
	b.done("BACKUP", "Probe", "Advertise", "Promote", "Demote", "DropAddress")
}

func TestAdvertisesWhileItIsBeingPromoted(t *testing.T) {
	b := began(t, three())
	delay[Promote](b)
	b.pass(3610*time.Millisecond + 5*time.Second)
	if n := count[Advertise](b); n != 6 {
		t.Errorf("%d advertisements", n)
	}
	b.is(Master)
	b.answer("")
	if got, want := last[SetAddress](b).Until, b.now.Add(2*time.Second); got > want || want.Sub(got) > time.Second {
		t.Errorf("until %v at %v", got, b.now)
	}
}

func TestOnlyWhatWasSentRenewsTheAddress(t *testing.T) {
	b := master(t, three())
	begin := b.view().Until
	b.pass(10 * time.Second)
	if got := b.view().Until.Sub(begin); got != 10*time.Second || count[SetAddress](b) != 10 {
		t.Errorf("renewed by %v in 10 s, %d times", got, count[SetAddress](b))
	}
	fail[Advertise](b, "no buffer")
	b.did = nil
	b.pass(time.Second)
	b.is(Master)
	b.done("Advertise")
	b.pass(time.Second)
	b.is(Backup)
	b.done("DropAddress", "Demote", "BACKUP")
	if got := b.view().Troubles; len(got) != 1 || got[0].What != Lapsed {
		t.Errorf("told of %v", got)
	}
}

// TestTheLeaseCountsFromTheDecision is that a slow hand shortens it: the others may have waited since the advertisement left.
func TestTheLeaseCountsFromTheDecision(t *testing.T) {
	b := master(t, three())
	delay[Advertise](b)
	at := b.m.Wake()
	b.pass(at.Sub(b.now))
	b.pass(800 * time.Millisecond)
	b.answer("")
	if got := last[SetAddress](b).Until; got != at.Add(2*time.Second) {
		t.Errorf("%v after the decision", got.Sub(at))
	}
}

func TestUnansweredAdvertisementsRenewNothing(t *testing.T) {
	b := master(t, three())
	delay[Advertise](b)
	b.pass(3 * time.Second)
	b.is(Backup)
}

// TestALateTurnDropsTheAddressFirst is the gap guard: whatever the event says.
func TestALateTurnDropsTheAddressFirst(t *testing.T) {
	for _, ev := range []func(*bench) Event{
		func(b *bench) Event { return Passed{} },
		func(b *bench) Event { return b.said(above, 50) },
		func(b *bench) Event { return b.said(above, 200) },
		func(b *bench) Event { return Stop{} },
	} {
		b := master(t, three())
		b.now = b.now.Add(8 * time.Second)
		b.step(ev(b))
		if a, first := b.did[1].(DropAddress); !first {
			t.Errorf("after %T first did %v", ev(b), a)
		}
		if got := count[Advertise](b); got != 0 {
			t.Errorf("after %T advertised %d times", ev(b), got)
		}
	}
}

// TestALateTurnOfABackupListensFirst is the same for who waited: what it did not hear may be in its queue.
func TestALateTurnOfABackupListensFirst(t *testing.T) {
	b := began(t, three())
	b.now = b.now.Add(20 * time.Second)
	b.step(Passed{})
	b.is(Backup)
	b.masterAfter(3*time.Second + 609375*time.Microsecond)
}

// TestALateAnswerToAProbeIsNone is a host that was frozen while it asked.
func TestALateAnswerToAProbeIsNone(t *testing.T) {
	b := began(t, three())
	delay[Probe](b)
	b.pass(3610 * time.Millisecond)
	b.now = b.now.Add(5 * time.Second)
	b.answer("")
	b.is(Backup)
	b.step(b.said(above, 200))
	b.pass(3 * time.Second)
	b.is(Backup)
}

func TestAnnouncesAgain(t *testing.T) {
	b := began(t, three())
	b.pass(3610 * time.Millisecond)
	at := b.now
	var when []int
	for range 70 {
		b.did = nil
		b.pass(time.Second)
		if count[Announce](b) > 0 {
			when = append(when, int(b.now.Sub(at)/time.Second))
		}
	}
	if len(when) != 3 || when[0] != 5 || when[1] != 35 || when[2] != 65 {
		t.Errorf("after %v s", when)
	}
	b.did = nil
	b.hear(above, 50) // Somebody thought to have the address; a second round follows.
	b.pass(6 * time.Second)
	if got := count[Announce](b); got != 2 || last[Announce](b).Repeat != 5 {
		t.Errorf("announced %d times after a contention", got)
	}
}

func TestKeepalivedsOptions(t *testing.T) {
	b := began(t, three(func(r *Router) { r.DownAdverts = 5 }))
	b.masterAfter(5*time.Second + 609375*time.Microsecond)

	b = master(t, three(func(r *Router) { r.QuietLower = true }))
	b.hear(above, 50)
	b.done()

	b = master(t, three(func(r *Router) { r.LastWord = true }))
	b.hear(above, 150)
	b.done("Advertise", "Demote", "DropAddress", "BACKUP")

	b = master(t, three(func(r *Router) {
		r.Announce = Announcing{Repeat: 1, LowerRepeat: 2, LowerAgain: time.Second, Refresh: 10 * time.Second, RefreshRepeat: 3}
	}))
	b.hear(above, 50)
	b.pass(12 * time.Second)
	var repeats []int
	for _, a := range b.did {
		if a, is := a.(Announce); is {
			repeats = append(repeats, a.Repeat)
		}
	}
	if !slices.Equal(repeats, []int{2, 2, 3}) {
		t.Errorf("announced %v", repeats)
	}
}

func TestAsksBeforeItYields(t *testing.T) {
	b := master(t, three(func(r *Router) { r.Asks = true }))
	delay[Ask](b)
	b.hear(above, 200)
	b.hear(above, 200)
	b.is(Master)
	if got := last[Ask](b); got.Question != Yield || got.Peer != above || count[Ask](b) != 1 {
		t.Errorf("asked %+v", got)
	}
	b.answer("has older data")
	b.is(Master)
	if got := last[Report](b).Trouble; got.What != Refused || got.Peer != above {
		t.Error(got)
	}
	b.did = nil
	b.hear(above, 200)
	b.answer("")
	b.is(Backup)
	b.done("Ask", "Demote", "DropAddress", "BACKUP")
}

func TestNothingIsWaitedForAfterTheStop(t *testing.T) {
	b := master(t, three())
	b.step(Stop{})
	b.did = nil
	b.hear(above, 0)
	b.step(Tracked{"redis", true})
	b.pass(time.Minute)
	b.is(Stopped)
	b.done()
	if b.m.Wake() != words.Never || len(b.m.tickets) != 0 {
		t.Errorf("wakes at %v, %d tickets", b.m.Wake(), len(b.m.tickets))
	}
}
