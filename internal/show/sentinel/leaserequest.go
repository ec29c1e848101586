package sentinel

import (
	"net/netip"
	"time"

	"redkeep/internal/picture"
	"redkeep/internal/words"
)

// What a lease does when it is asked to: a switchover, and nothing else. Redkeep's groups and settings are those of
// redkeep.yaml, the same on every node; a change on one node alone would have the nodes differ. So requests are checked as
// Sentinel checks them, and then refused with what to do instead.

// What to do instead.
var (
	groupsAreOfTheFile   = &Refusal{Never: true, Text: "groups are those of redkeep.yaml: change it on every node, and start the agents again one after the other"}
	settingsAreOfTheFile = &Refusal{Never: true, Text: "settings are those of redkeep.yaml: change them there on every node, and start the agents again one after the other"}
	noPeriods            = &Refusal{Never: true, Text: "nothing here waits for one of Sentinel's periods, so there is none to set; what can be set is lease and down_after in redkeep.yaml"}
	noSimulation         = &Refusal{Never: true, Text: "SIMULATE-FAILURE is refused: kill the agent on its host to see what happens (docs/faults.md has every fault)"}
	// Who may reach the port is not who may stop the agent.
	noShutdown = &Refusal{Never: true, Text: "SHUTDOWN is refused: stop the agent on its host (systemctl stop redkeep), it hands its masters over first"}
)

// MasterDown gives no vote: a lease's votes are not given to whoever asks on this port. A leader * with epoch 0 is what a
// Sentinel says that was not asked for one.
func (l *Lease) MasterDown(q DownQuestion, answer func(DownAnswer)) {
	ip, err := netip.ParseAddr(q.Host)
	down := err == nil && q.Port > 0 && q.Port < 1<<16 && l.downAt(netip.AddrPortFrom(ip, uint16(q.Port)))
	answer(DownAnswer{Down: down})
}

// downAt reports whether the address is that of a group's master, and nobody takes writes there.
func (l *Lease) downAt(at netip.AddrPort) bool {
	n := l.look()
	for i := range n.Groups {
		g := &n.Groups[i]
		if m, ok := l.master(g); ok && !g.Writable && address(n, g, m.node) == at {
			return true
		}
	}
	return false
}

// Greeting has no use for one: the nodes of a group are those of its file.
func (l *Lease) Greeting(string) {}

// Failover switches a group over to its best replica. Sentinel does without the others' consent then; a lease can't.
func (l *Lease) Failover(name string, _ bool, answer func(error)) {
	_, g := l.group(name)
	switch {
	case g == nil:
		answer(ErrNoSuchMaster)
	case !g.Writable:
		// The agents are electing a master already, or say in their status why they can't.
		answer(ErrInProgress)
	case !hasTarget(g):
		answer(ErrNoGoodReplica)
	case l.config.Failover == nil:
		answer(&Refusal{Text: "this port only tells; run: redkeep switchover " + short(name)})
	default:
		l.switchOver(g.Name, answer)
	}
}

// hasTarget reports whether a replica could take over.
func hasTarget(g *picture.Group) bool {
	for _, c := range g.Candidates {
		if c.Place > 0 {
			return true
		}
	}
	return false
}

// switchOver has the agent do it, one request a group at a time.
func (l *Lease) switchOver(g words.Group, answer func(error)) {
	if _, busy := l.switching[g]; busy {
		answer(ErrInProgress)
		return
	}
	l.switching[g] = struct{}{}
	l.config.Failover(g, func(err error) {
		delete(l.switching, g)
		answer(err)
	})
}

// Monitor refuses.
func (l *Lease) Monitor(m Monitor, answer func(error)) {
	if _, g := l.group(m.Name); g != nil {
		answer(ErrDuplicate)
		return
	}
	answer(groupsAreOfTheFile)
}

// Remove refuses.
func (l *Lease) Remove(name string, answer func(error)) {
	if _, g := l.group(name); g == nil {
		answer(ErrNoSuchMaster)
		return
	}
	answer(&Refusal{Never: true, Text: "groups are those of redkeep.yaml: to let go of one, run: redkeep leave " + short(name)})
}

// Reset counts. Sentinel forgets replicas and Sentinels that are gone; there is nothing to forget here, since the nodes are
// those of the file.
func (l *Lease) Reset(covers func(name string) bool) (n int) {
	for _, name := range l.Names() {
		if covers(name) {
			n++
		}
	}
	return n
}

// Set refuses.
func (l *Lease) Set(name string, options []Option, answer func(error)) {
	if _, g := l.group(name); g == nil {
		answer(ErrNoSuchMaster)
		return
	}
	for _, o := range options {
		if o.Name == OptionNotificationScript || o.Name == OptionReconfigScript {
			answer(ErrScriptsDenied)
			return
		}
	}
	answer(settingsAreOfTheFile)
}

// Setting is what Sentinel has where nothing is set.
func (l *Lease) Setting(s Setting) string {
	switch s {
	case ResolveHostnames, AnnounceHostnames:
		return no
	case AnnouncePort:
		return "0"
	default:
		return ""
	}
}

// Configure accepts what is so already.
func (l *Lease) Configure(s Setting, value string, answer func(error)) {
	if value == l.Setting(s) {
		answer(nil)
		return
	}
	answer(settingsAreOfTheFile)
}

// periods are Sentinel's, which tools read; nothing here waits for one, so none can be set.
var periods = [Periods]time.Duration{
	InfoPeriod: 10 * time.Second, PingPeriod: time.Second, AskPeriod: time.Second, PublishPeriod: 2 * time.Second,
	DefaultDownAfter: 30 * time.Second, DefaultFailoverTimeout: 3 * time.Minute, TiltTrigger: 2 * time.Second,
	TiltPeriod: 30 * time.Second, ReplicaReconfTimeout: 10 * time.Second, MinLinkReconnectPeriod: 15 * time.Second,
	ElectionTimeout: 10 * time.Second, ScriptMaxRuntime: time.Minute, ScriptRetryDelay: 30 * time.Second,
}

// Period is Sentinel's.
func (l *Lease) Period(p Period) time.Duration { return periods[p] }

// SetPeriod accepts what is so already.
func (l *Lease) SetPeriod(p Period, d time.Duration) error {
	if d == periods[p] {
		return nil
	}
	return noPeriods
}

// Simulate refuses.
func (l *Lease) Simulate(Failures) error { return noSimulation }

// Flush is always done: what counts is on disk before it is told to anybody.
func (l *Lease) Flush(answer func(error)) { answer(nil) }

// Shutdown refuses.
func (l *Lease) Shutdown(answer func(error)) { answer(noShutdown) }
