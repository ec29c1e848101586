package repair

import (
	"net/netip"
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/words"
)

// ReadsFor bounds an opening for readers in front of a server that would start as a master: it is renewed while the agent lives.
const ReadsFor = 10 * time.Minute

// View is what a plan rests on.
type View struct {
	Self   words.Node
	Server words.Server
	// Known says that the server has answered since the agent started, and is not given up.
	Known bool
	// Leased says that the group has had a holder.
	Leased bool
	// Row is the newest of the lineage.
	Row words.Row
	// Beyond is how many bytes the server holds that Row's history does not; negative where that can't be told.
	Beyond int64
	// Master is the address of Row's server.
	Master netip.AddrPort
	// Held says that the holder of Row holds still, as far as this node knows.
	Held   bool
	Record words.Record
	// Confirmed is the run ID of the process that was last verified as a replica, empty where none was.
	Confirmed words.RunID
	// Lapsed says that the process held the lease, which has been over for long enough for a new one.
	Lapsed bool
	// Chosen says that a person chose the master: strangers' data may be overwritten.
	Chosen bool
	Gate   decide.GateState
	Off    decide.Rules
}

// Plan is what to do now; zero fields mean nothing.
type Plan struct {
	Gate  decide.GateState
	Order decide.Order
	// Why is what keeps the server out, or what following costs.
	Why words.Reason
	// Confirm says that the server is verified as the holder's replica.
	Confirm bool
}

// Next plans. A group that was never leased is not touched.
func Next(v View) Plan {
	keep := Plan{Gate: v.Gate}
	switch {
	case !v.Leased:
		return keep
	case !v.Known:
		return Plan{Gate: decide.GateState{Mode: decide.GateShut}}
	case v.Server.Role == words.RoleReplica && follows(v.Server, v.Master):
		return Plan{Gate: reads(v), Confirm: true}
	case v.Row.ReplID == "" || !v.Held:
		return waiting(v)
	}
	return comeBack(v)
}

// waiting is for a server while there is no master to follow: a replica that was verified keeps its readers, all others are shut. One that
// was the master and is not elected again is not left one: the gate in front of it may be flushed, and an hour without replicas costs a
// master its history's name (rule lapse-demotes). Of other masters nothing is known, and nothing is touched.
func waiting(v View) Plan {
	if v.Server.Role == words.RoleMaster && v.Lapsed && !v.Off.Off(decide.LapseDemotes) {
		return Plan{Gate: decide.GateState{Mode: decide.GateShut}, Order: decide.Demote{RunID: v.Server.RunID}}
	}
	if v.Server.Role == words.RoleReplica && v.Confirmed == v.Server.RunID && v.Confirmed != "" {
		return Plan{Gate: v.Gate}
	}
	return Plan{Gate: decide.GateState{Mode: decide.GateShut}}
}

// comeBack has a server follow the holder, unless it holds data that nobody here knows.
func comeBack(v View) Plan {
	p := Plan{Gate: decide.GateState{Mode: decide.GateShut}}
	if v.Server.Role == words.RoleReplica && v.Confirmed == v.Server.RunID {
		p.Gate = v.Gate
	}
	if v.Server.Loading || v.Server.Keys < 0 {
		p.Why = words.Reason{Code: words.ServerLoading, Node: v.Self}
		return p
	}
	// A replica of somebody outside may hold the only copy of that one's data: following would empty it as well.
	stranger := v.Beyond < 0 && v.Record.Epoch == 0 && v.Server.Keys > 0 && !v.Server.Fenced()
	if stranger && !v.Chosen {
		p.Why = words.Reason{Code: words.ServerForeign, Node: v.Self, N: v.Server.Keys}
		return p
	}
	if v.Beyond > 0 {
		p.Why = words.Reason{Code: words.LosesBytes, Node: v.Self, N: v.Beyond, M: int64(v.Row.Epoch)}
	}
	p.Order = decide.Follow{RunID: v.Server.RunID, Node: v.Row.Holder}
	return p
}

// reads is the opening for a verified replica's readers: without a deadline only where a restart can't make it a master.
func reads(v View) decide.GateState {
	if v.Server.BornFenced || v.Off.Off(decide.ReadsExpire) {
		return decide.GateState{Mode: decide.GateOpen}
	}
	return decide.GateState{Mode: decide.GateOpen, For: ReadsFor}
}

func follows(s words.Server, master netip.AddrPort) bool {
	return master.IsValid() && s.Master == master.Addr().String() && s.MasterPort == master.Port()
}
