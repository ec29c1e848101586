package sentinel

import (
	"time"

	"redkeep/internal/picture"
)

// The maps that describe a master, a replica, a Sentinel. Some clients read them by position, so their order is Sentinel's.

// pairs collects the fields of one map. A map's size comes before its fields, so they are counted first.
type pairs struct {
	r *reply
	// counting says that fields are only counted.
	counting bool
	n        int
}

func (p *pairs) text(name, value string) {
	if p.n++; !p.counting {
		p.r.bulk(name)
		p.r.bulk(value)
	}
}

func (p *pairs) number(name string, value int64) {
	if p.n++; !p.counting {
		p.r.bulk(name)
		p.r.number(value)
	}
}

func (p *pairs) age(name string, d time.Duration) { p.number(name, max(0, d.Milliseconds())) }

// flags has a place of its own, since it is not made for counting.
func (p *pairs) flags(f picture.WatchedFlags) {
	if p.n++; !p.counting {
		var room [128]byte
		p.r.bulk("flags")
		p.r.bytes(f.Append(room[:0]))
	}
}

// watched answers with the map of one instance.
func (r *reply) watched(w *picture.Watched) {
	count := pairs{counting: true}
	count.instance(w)
	r.dict(count.n)
	(&pairs{r: r}).instance(w)
}

// everyWatched answers with an array of them.
func (r *reply) everyWatched(all []picture.Watched) {
	r.array(len(all))
	for i := range all {
		r.watched(&all[i])
	}
}

// instance tells all fields of one instance.
func (p *pairs) instance(w *picture.Watched) {
	p.text("name", w.Name)
	p.text("ip", w.Host)
	p.number("port", int64(w.Port))
	p.text("runid", w.RunID)
	p.flags(w.Flags)
	p.number("link-pending-commands", int64(w.PendingCommands))
	p.number("link-refcount", int64(w.Refcount))
	if w.FailoverState != "" {
		p.text("failover-state", w.FailoverState)
	}
	p.age("last-ping-sent", w.LastPingSent)
	p.age("last-ok-ping-reply", w.LastOKPing)
	p.age("last-ping-reply", w.LastPing)
	if w.Flags.Has(picture.WatchedSDown) {
		p.age("s-down-time", w.SDown)
	}
	if w.Flags.Has(picture.WatchedODown) {
		p.age("o-down-time", w.ODown)
	}
	p.age("down-after-milliseconds", w.DownAfter)
	switch {
	case w.Flags.Has(picture.WatchedSentinel):
		p.sentinel(w)
	case w.Flags.Has(picture.WatchedReplica):
		p.server(w)
		p.replica(w)
	default:
		p.server(w)
		p.master(w)
	}
}

// server tells what masters and replicas have in common.
func (p *pairs) server(w *picture.Watched) {
	p.age("info-refresh", w.InfoRefresh)
	p.text("role-reported", w.RoleReported)
	p.age("role-reported-time", w.RoleReportedTime)
}

func (p *pairs) master(w *picture.Watched) {
	p.number("config-epoch", int64(w.ConfigEpoch))
	p.number("num-slaves", int64(w.Replicas))
	p.number("num-other-sentinels", int64(w.Sentinels))
	p.number("quorum", int64(w.Quorum))
	p.age("failover-timeout", w.FailoverTimeout)
	p.number("parallel-syncs", int64(w.ParallelSyncs))
	if w.NotificationScript != "" {
		p.text("notification-script", w.NotificationScript)
	}
	if w.ReconfigScript != "" {
		p.text("client-reconfig-script", w.ReconfigScript)
	}
}

func (p *pairs) replica(w *picture.Watched) {
	link, host, announced := "err", w.MasterHost, int64(0)
	if w.MasterLinkUp {
		link = "ok"
	}
	if host == "" {
		host = "?"
	}
	if w.ReplicaAnnounced {
		announced = 1
	}
	p.age("master-link-down-time", w.MasterLinkDown)
	p.text("master-link-status", link)
	p.text("master-host", host)
	p.number("master-port", int64(w.MasterPort))
	p.number("slave-priority", int64(w.Priority))
	p.number("slave-repl-offset", w.Offset)
	p.number("replica-announced", announced)
}

func (p *pairs) sentinel(w *picture.Watched) {
	leader := w.VotedLeader
	if leader == "" {
		leader = "?"
	}
	p.age("last-hello-message", w.LastHello)
	p.text("voted-leader", leader)
	p.number("voted-leader-epoch", int64(w.VotedLeaderEpoch))
}
