package sentinel

import "time"

// Periods are what SENTINEL DEBUG tells and sets; they last as long as the process.
type Periods struct {
	Info, Ping, Ask, Publish                                                                      time.Duration
	DefaultDownAfter, DefaultFailoverTimeout                                                      time.Duration
	TiltTrigger, Tilt, ReplicaReconf, MinLinkReconnect, Election, ScriptMaxRuntime, ScriptRetries time.Duration
}

// DefaultPeriods are those of Sentinel.
func DefaultPeriods() Periods {
	return Periods{
		Info: 10 * time.Second, Ping: time.Second, Ask: time.Second, Publish: 2 * time.Second,
		DefaultDownAfter: 30 * time.Second, DefaultFailoverTimeout: 3 * time.Minute,
		TiltTrigger: 2 * time.Second, Tilt: 30 * time.Second, ReplicaReconf: 10 * time.Second,
		MinLinkReconnect: 15 * time.Second, Election: 10 * time.Second,
		ScriptMaxRuntime: time.Minute, ScriptRetries: 30 * time.Second,
	}
}

// Period is one of the Periods with its name.
type Period struct {
	Name  string
	Value *time.Duration
}

// Named lists the periods in the order and by the names of SENTINEL DEBUG.
func (p *Periods) Named() [13]Period {
	return [13]Period{
		{"info-period", &p.Info},
		{"ping-period", &p.Ping},
		{"ask-period", &p.Ask},
		{"publish-period", &p.Publish},
		{"default-down-after", &p.DefaultDownAfter},
		{"default-failover-timeout", &p.DefaultFailoverTimeout},
		{"tilt-trigger", &p.TiltTrigger},
		{"tilt-period", &p.Tilt},
		{"slave-reconf-timeout", &p.ReplicaReconf},
		{"min-link-reconnect-period", &p.MinLinkReconnect},
		{"election-timeout", &p.Election},
		{"script-max-runtime", &p.ScriptMaxRuntime},
		{"script-retry-delay", &p.ScriptRetries},
	}
}

const (
	// busyInfo is how often a replica is asked while something is happening to it, hurried while an order to it is under way.
	busyInfo = time.Second
	hurried  = 100 * time.Millisecond
	// maxPending is how many commands may wait for their answers, for each group that shares the link.
	maxPending = 100
	// desync spreads what Sentinels do at the same instants of their own: the pings, hence their views of who is down, and the
	// ends of their failovers. Two that begin an election at once halve the votes.
	pingDesync  = 64 * time.Millisecond
	startDesync = time.Second
	// stagger is what each waits for the one before it: some round trips, and the writing of a vote.
	stagger = 20 * time.Millisecond
	// askBackAfter is how old another's answer must be to be asked for again out of turn.
	askBackAfter = time.Millisecond
	// bundle is how far apart the instants are at which things are done that have time: half the shortest time between two ticks
	// of Sentinel's own timer, at which it does everything.
	bundle = 25 * time.Millisecond
	// pressTime is for how long after each of its steps an outage presses: longer than the steps are apart.
	pressTime = 5 * time.Second
	// late is by how much a hello or an INFO may wait for the ping that it can travel with.
	late = 200 * time.Millisecond
)
