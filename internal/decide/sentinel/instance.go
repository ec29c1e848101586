package sentinel

import (
	"time"

	"redkeep/internal/picture"
	"redkeep/internal/words"
)

// kind is what an instance is.
type kind uint8

const (
	master kind = iota
	replica
	sentinel
)

// word is how events call the kind.
func (k kind) word() string {
	switch k {
	case master:
		return "master"
	case replica:
		return "slave"
	default:
		return "sentinel"
	}
}

// instance is one master, replica or Sentinel as its group sees it. A Sentinel that watches several groups is an instance of
// each, and all of them share one link.
type instance struct {
	timer
	link  *link
	group *group
	kind  kind
	// What every look at it needs stands together, since there are thousands.
	sDown, oDown bool // oDown is of a master, like oDownSince
	infoAsked    bool // an INFO is on its way
	greeting     bool // a hello is on its way
	// saysMaster is the role in the last INFO, roleSince when that came up first; known from the start as what it should be.
	saysMaster bool
	linkUp     bool
	reconf     reconf
	id         InstanceID
	infoAt     words.Instant // of the last INFO; 0 if there was none
	greetedAt  words.Instant // of the last hello that was taken
	roleSince  words.Instant
	linkDown   time.Duration
	orderedAt  words.Instant // of the last order to follow another; 0 if there was none

	addr                   Address
	runID                  string
	sDownSince, oDownSince words.Instant
	infoText               string
	// killedScript is whether a script has been ended, once for each time that the server is down.
	killedScript bool

	// Of a master: its server has another run ID than before, and has not answered properly since.
	rebooted      bool
	rebootedSince words.Instant

	// handsOver says that the server knows FAILOVER (Redis 6.2 and later).
	handsOver bool

	// Of a replica, whose linkUp and linkDown are of the connection to its master, and reconf of its way to the next.
	follows        Address
	followsSince   words.Instant
	priority       int
	offset         int64
	unannounced    bool
	reconfSince    words.Instant
	promotedInThis bool

	// Of a Sentinel.
	saysDown   bool          // what it said last of the group's master
	toldAt     words.Instant // when
	asking     bool          // a question is on its way
	leader     string        // whom it voted for in leaderEpoch
	leaderTerm uint64
	heardAt    words.Instant // its last hello
}

// reconf is how far a replica is on its way to the new master.
type reconf uint8

const (
	notReconfigured reconf = iota
	reconfSent
	reconfInProgress
	reconfDone
)

// flags are what is told of the instance.
func (i *instance) flags() picture.WatchedFlags {
	var f picture.WatchedFlags
	set := func(on bool, flag picture.WatchedFlags) {
		if on {
			f |= flag
		}
	}
	set(i.sDown, picture.WatchedSDown)
	set(i.oDown, picture.WatchedODown)
	set(i.kind == master, picture.WatchedMaster)
	set(i.kind == replica, picture.WatchedReplica)
	set(i.kind == sentinel, picture.WatchedSentinel)
	set(i.disconnected(), picture.WatchedDisconnected)
	set(i.saysDown, picture.WatchedMasterDown)
	set(i.kind == master && i.group.failover.under(), picture.WatchedFailover)
	set(i.promotedInThis, picture.WatchedPromoted)
	set(i.reconf == reconfSent, picture.WatchedReconfSent)
	set(i.reconf == reconfInProgress, picture.WatchedReconfInProgress)
	set(i.reconf == reconfDone, picture.WatchedReconfDone)
	set(i.kind == master && i.group.failover.forced, picture.WatchedForceFailover)
	set(i.killedScript, picture.WatchedScriptKillSent)
	return f
}

// disconnected reports whether a connection that the kind needs has failed and not been made again.
func (i *instance) disconnected() bool { return !i.link.whole() }

// noDownFor reports whether the instance has not been down within d.
func (i *instance) noDownFor(now words.Instant, d time.Duration) bool {
	return i.sDownSince == 0 || now.Sub(i.sDownSince) > d
}

// title is the instance in the payload of an event.
func (m *Machine) title(i *instance) string {
	if i.kind == master {
		return "master " + i.group.name + " " + m.spaced(i.addr)
	}
	return i.kind.word() + " " + m.nameOf(i) + " " + m.spaced(i.addr) + " @ " + i.group.name + " " + m.spaced(i.group.master.addr)
}

// nameOf is what the instance is called: a Sentinel by its run ID.
func (m *Machine) nameOf(i *instance) string {
	switch i.kind {
	case master:
		return i.group.name
	case replica:
		return m.joined(i.addr)
	default:
		return i.runID
	}
}

// newInstance makes an instance with a link of its own, unless one is given, and has it looked after at once.
func (m *Machine) newInstance(g *group, k kind, at Address, l *link) *instance {
	m.lastInstance++
	i := &instance{id: m.lastInstance, kind: k, group: g, addr: at, saysMaster: k == master, roleSince: m.now, priority: 100}
	i.timer.owner = i
	m.instances[i.id] = i
	if l == nil {
		l = m.newLink(at, k != sentinel)
	}
	l.join(i)
	i.link = l
	m.rouse(&i.timer, m.now)
	return i
}

// forget ends an instance, and its link if nobody else uses it.
func (m *Machine) forget(i *instance) {
	delete(m.instances, i.id)
	i.gone = true
	if i.kind == sentinel {
		m.unlist(i)
	}
	m.sleep(&i.timer)
	m.leave(i)
}
