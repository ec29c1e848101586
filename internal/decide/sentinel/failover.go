package sentinel

import (
	"slices"
	"strconv"
	"time"

	"redkeep/internal/words"
)

// failoverState is a step of a failover that this Sentinel leads, or wants to.
type failoverState uint8

const (
	idle failoverState = iota
	waitStart
	selectReplica
	sendPromotion
	waitPromotion
	reconfReplicas
	updateConfig
)

// String returns Sentinel's word.
func (s failoverState) String() string {
	return [...]string{"none", "wait_start", "select_slave", "send_slaveof_noone", "wait_promotion", "reconf_slaves", "update_config"}[s]
}

// failover is one attempt, and when the last began: this Sentinel's, or that of the one it voted for.
type failover struct {
	state        failoverState
	epoch        uint64
	ticket       uint64        // of the save after which epoch is on disk
	stood        words.Instant // when it was begun in epoch
	began        words.Instant
	changed      words.Instant // of state
	promoted     *instance
	forced       bool // by SENTINEL FAILOVER: nobody is asked
	coordinated  bool // the master hands over itself
	demoted      bool // the old master, which was up, has been told to follow the promoted one
	toldBarred   words.Instant
	wouldHaveRun bool // observe mode has said what it would do in this outage
}

// under reports whether one is under way.
func (f failover) under() bool { return f.state != idle }

// enter goes to the next step.
func (m *Machine) enter(g *group, s failoverState) {
	g.failover.state, g.failover.changed = s, m.now
	m.press()
	m.prompt(g)
}

// startIfNeeded begins a failover where the master is down for enough Sentinels, and none has been tried lately.
func (m *Machine) startIfNeeded(g *group) words.Instant {
	if !g.master.oDown || g.failover.under() {
		if !g.master.oDown {
			g.failover.wouldHaveRun = false
		}
		return words.Never
	}
	if until := g.failoverBarred(); m.now < until {
		if g.failover.toldBarred != g.failover.began {
			g.failover.toldBarred = g.failover.began
			m.note(Warning, "Next failover delay: I will not start a failover of "+g.name+" for "+until.Sub(m.now).Round(time.Millisecond).String())
		}
		return until
	}
	if m.setup.Observe {
		return m.wouldFailOver(g)
	}
	if turn := g.master.oDownSince.Add(time.Duration(m.rank(g)) * stagger); m.now < turn {
		return turn
	}
	if m.atLastEpoch(g) {
		g.failover.began = m.now
		return g.failoverBarred()
	}
	m.start(g)
	return words.Never
}

// rank is how many of the Sentinels that are up come before this one, by their IDs. All notice the end of a server at the same
// instant, and if all stood at once each would have its own vote; so the first begins at once, and the others, a moment later, if
// that one has not: it would have their votes by then.
func (m *Machine) rank(g *group) (before int) {
	for _, s := range g.sentinels {
		if !s.sDown && s.runID < m.myID {
			before++
		}
	}
	return before
}

// start begins one in a new epoch.
func (m *Machine) start(g *group) {
	m.currentEpoch++
	m.stand(g)
	m.proclaim(g, "+new-epoch", strconv.FormatUint(m.currentEpoch, 10))
	m.notice(Warning, "+try-failover", g.master)
	g.failover.began = m.now.Add(m.spread())
	m.enter(g, waitStart)
}

// stand has an attempt be one in the current epoch. What is not on disk may happen again after a restart: so nobody is elected
// before it is.
func (m *Machine) stand(g *group) {
	f := &g.failover
	f.epoch, f.ticket, f.stood = m.currentEpoch, m.save(), m.now
	ticket := f.ticket
	m.after(ticket, func(failed bool) { m.onStood(g, ticket, failed) })
}

// onStood asks for votes. Whoever can't write its file takes none, since nobody else would have them; and who doubts its own clock leads
// nobody: when that is over the attempt goes on, or is too old.
func (m *Machine) onStood(g *group, ticket uint64, failed bool) {
	if f := g.failover; f.state != waitStart || f.ticket != ticket || m.byName[g.name] != g {
		return
	}
	switch {
	case failed:
		m.note(Warning, "No failover of "+g.name+": epoch "+strconv.FormatUint(g.failover.epoch, 10)+" could not be written to the configuration file")
		m.notice(Warning, "-failover-abort-not-elected", g.master)
		m.abort(g)
	case !g.failover.forced && !m.tilt:
		m.askAll(g, true)
	}
	m.prompt(g)
}

// standAgain goes on in a later epoch, where the one in which the attempt began has passed without a majority: other groups and other
// Sentinels count on, too. Whoever has voted for another in that epoch leaves it to that one.
func (m *Machine) standAgain(g *group) {
	f := &g.failover
	if f.forced || f.epoch == m.currentEpoch || g.leaderEpoch >= m.currentEpoch {
		return
	}
	if m.since(f.stood) < m.periods.Ask && slices.ContainsFunc(g.sentinels, func(s *instance) bool { return s.asking }) {
		return
	}
	m.stand(g)
	m.winner(g, f.epoch)
}

// advance does the step that a failover is at, and returns when it may next be due by time alone.
func (m *Machine) advance(g *group) words.Instant {
	for {
		at := g.failover.state
		next := m.stepFailover(g)
		if g.failover.state == at {
			return next
		}
	}
}

func (m *Machine) stepFailover(g *group) words.Instant {
	switch g.failover.state {
	case waitStart:
		return m.awaitElection(g)
	case selectReplica:
		return m.selectPromoted(g)
	case sendPromotion:
		return m.sendPromotion(g)
	case waitPromotion:
		return m.awaitPromotion(g)
	case reconfReplicas:
		return m.reconfigure(g)
	case updateConfig:
		return m.finish(g)
	}
	return words.Never
}

func (m *Machine) awaitElection(g *group) words.Instant {
	elected := m.winner(g, g.failover.epoch) == m.myID || g.failover.forced && m.recorded(g)
	if !elected || g.failover.ticket > m.saved {
		m.standAgain(g)
		limit := g.failover.began.Add(min(m.periods.Election, g.failoverTimeout))
		if m.now <= limit {
			return limit + 1
		}
		m.notice(Warning, "-failover-abort-not-elected", g.master)
		m.abort(g)
		return words.Never
	}
	m.notice(Warning, "+elected-leader", g.master)
	if m.simulate.AfterElection {
		m.crash()
		return words.Never
	}
	m.enter(g, selectReplica)
	m.notice(Warning, "+failover-state-select-slave", g.master)
	return words.Never
}

// crash ends the process when what it has decided is on disk.
func (m *Machine) crash() {
	m.after(m.save(), func(bool) { m.do(Crash{}) })
}

func (m *Machine) selectPromoted(g *group) words.Instant {
	r := m.best(g)
	if at := m.newsUntil(g, r, g.failover.changed); m.now < at {
		return at
	}
	if r == nil {
		m.notice(Warning, "-failover-abort-no-good-slave", g.master)
		m.abort(g)
		return words.Never
	}
	m.notice(Warning, "+selected-slave", r)
	r.promotedInThis = true
	g.failover.promoted = r
	m.enter(g, sendPromotion)
	m.notice(Normal, "+failover-state-send-slaveof-noone", r)
	return words.Never
}

// newsUntil is how long a choice that is due since an instant waits for replicas that were asked how they are and have not answered: an election may take less time than
// that. They were all asked when the master was found down; who answers late may be the farthest, or the only one that is fit.
func (m *Machine) newsUntil(g *group, best *instance, since words.Instant) words.Instant {
	if !slices.ContainsFunc(g.replicas, func(r *instance) bool { return r.infoAsked && !r.sDown && !r.disconnected() }) {
		return 0
	}
	if best == nil {
		return since.Add(busyInfo)
	}
	return since.Add(hurried)
}

func (m *Machine) sendPromotion(g *group) words.Instant {
	r := g.failover.promoted
	if g.failover.coordinated {
		return m.askHandOver(g)
	}
	if !m.order(r, Address{}) {
		return m.limit(g)
	}
	m.notice(Normal, "+failover-state-wait-promotion", r)
	m.enter(g, waitPromotion)
	return words.Never
}

func (m *Machine) awaitPromotion(g *group) words.Instant { return m.limit(g) }

// askHandOver has the master hand over to the chosen replica.
func (m *Machine) askHandOver(g *group) words.Instant {
	l, r := g.master.link, g.failover.promoted
	if !l.open() {
		return m.limit(g)
	}
	m.do(HandOver{l.id, g.master.id, g.word("FAILOVER"), m.told(r.addr), g.failoverTimeout})
	l.pending++
	m.notice(Normal, "+failover-state-wait-promotion", r)
	m.enter(g, waitPromotion)
	m.rouse(&r.timer, m.now)
	return words.Never
}

// onHandedOver aborts where the master can't hand over: it may be of a release that does not know how.
func (m *Machine) onHandedOver(i *instance, refused string) {
	g := i.group
	if refused == "" || i != g.master || !g.failover.coordinated || g.failover.state != waitPromotion {
		return
	}
	m.note(Warning, "The master of "+g.name+" does not hand over: "+refused)
	m.notice(Warning, "-failover-abort-slave-timeout", i)
	m.abort(g)
}

// limit aborts a step that takes longer than the failover may.
func (m *Machine) limit(g *group) words.Instant {
	at := g.failover.changed.Add(g.failoverTimeout)
	if m.now <= at {
		return at + 1
	}
	m.notice(Warning, "-failover-abort-slave-timeout", g.master)
	m.abort(g)
	return words.Never
}

// abort ends an attempt before its promotion. When it began counts on: it bars the next.
func (m *Machine) abort(g *group) {
	if p := g.failover.promoted; p != nil {
		p.promotedInThis = false
	}
	g.failover = failover{began: g.failover.began, toldBarred: g.failover.toldBarred}
	m.prompt(g)
}

// onPromoted goes on when the chosen replica calls itself a master. There is no way back from here.
func (m *Machine) onPromoted(g *group) {
	r := g.failover.promoted
	g.configEpoch = g.failover.epoch
	m.enter(g, reconfReplicas)
	m.save()
	m.notice(Warning, "+promoted-slave", r)
	if m.simulate.AfterPromotion {
		m.crash()
		return
	}
	m.notice(Warning, "+failover-state-reconf-slaves", g.master)
	m.tellClients(g, "leader", g.master.addr, r.addr)
	m.greetAll(g)
	// Where a person asked for it the old master is up, and would take writes that are lost until somebody makes it a replica, which
	// the repair of strays would only do after four hellos' time.
	if g.failover.forced && !g.failover.coordinated && !g.master.sDown {
		g.failover.demoted = m.order(g.master, r.addr)
	}
}

// tellClients runs the group's client-reconfig-script.
func (m *Machine) tellClients(g *group, role string, from, to Address) {
	if g.reconfigure == "" || m.setup.Observe {
		return
	}
	m.do(RunScript{g.reconfigure, []string{
		g.name, role, "start", m.show(from), strconv.Itoa(from.Port), m.show(to), strconv.Itoa(to.Port),
	}})
}

// reconfigure has the other replicas follow the promoted one, a few at a time, and ends when all have or time is up.
func (m *Machine) reconfigure(g *group) words.Instant {
	next := m.reconfigureNext(g)
	p := g.failover.promoted
	if p.sDown {
		return next
	}
	missing := 0
	for _, r := range g.replicas {
		if r != p && r.reconf != reconfDone && !r.sDown {
			missing++
		}
	}
	limit := g.failover.changed.Add(g.failoverTimeout)
	late := m.now > limit
	if late {
		missing = 0
		m.notice(Warning, "+failover-end-for-timeout", g.master)
	}
	if missing > 0 {
		return min(next, limit+1)
	}
	if at := g.failover.changed.Add(busyInfo); g.failover.demoted && g.master.saysMaster && m.now < at && !late {
		return min(next, at) // the order to the old master goes with its connection, which the end closes
	}
	m.notice(Warning, "+failover-end", g.master)
	m.enter(g, updateConfig)
	if late {
		m.orderRest(g)
	}
	return words.Never
}

// reconfigureNext orders as many replicas to follow as may be copying at once.
func (m *Machine) reconfigureNext(g *group) words.Instant {
	next, busy := words.Never, 0
	for _, r := range g.replicas {
		if r.reconf == reconfSent {
			if at := r.reconfSince.Add(m.periods.ReplicaReconf); m.now <= at {
				next = min(next, at+1)
			} else {
				m.notice(Normal, "-slave-reconf-sent-timeout", r)
				r.reconf = reconfDone
			}
		}
		if r.reconf == reconfSent || r.reconf == reconfInProgress {
			busy++
		}
	}
	for _, r := range g.replicas {
		if r.promotedInThis || r.reconf != notReconfigured || busy >= g.parallelSyncs || !m.order(r, g.failover.promoted.addr) {
			continue
		}
		r.reconf, r.reconfSince = reconfSent, m.now
		m.notice(Normal, "+slave-reconf-sent", r)
		m.rouse(&r.timer, m.now.Add(hurried))
		busy++
	}
	return next
}

// orderRest is the last try with those that have not followed in time.
func (m *Machine) orderRest(g *group) {
	for _, r := range g.replicas {
		if r.promotedInThis || r.reconf == reconfDone || r.reconf == reconfSent {
			continue
		}
		if m.order(r, g.failover.promoted.addr) {
			m.notice(Normal, "+slave-reconf-sent-be", r)
			r.reconf = reconfSent
		}
	}
}

// finish has the group's master be the promoted replica. The last orders go with their connections, which it closes: so it waits for them.
func (m *Machine) finish(g *group) words.Instant {
	changed := g.failover.changed
	last := func(r *instance) bool { return r.orderedAt >= changed && r.infoAsked && !r.disconnected() }
	if at := changed.Add(busyInfo); m.now < at && slices.ContainsFunc(g.replicas, last) {
		return at
	}
	from, to, demoted := g.master.addr, g.failover.promoted.addr, g.failover.demoted && !g.master.saysMaster
	m.switched(g, from, to)
	m.moveMaster(g, to)
	if old := g.replicaAt(from); demoted && old != nil {
		m.notice(Normal, "+convert-to-slave", old)
	}
	return words.Never
}

// switched tells what clients listen for.
func (m *Machine) switched(g *group, from, to Address) {
	m.proclaim(g, "+switch-master", g.name+" "+m.spaced(from)+" "+m.spaced(to))
}
