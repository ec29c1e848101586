package api

import (
	"strings"
	"time"

	"redkeep/internal/picture"
	"redkeep/internal/speak/explain"
	"redkeep/internal/words"
)

// FromPicture returns the picture as the JSON value that travels and is printed. It shares the picture's maps, which
// nobody changes.
func FromPicture(n picture.Node) NodeStatus {
	s := fromNode(n)
	s.Groups = []GroupStatus{}
	for _, g := range n.Groups {
		s.Groups = append(s.Groups, fromGroup(g))
	}
	return s
}

// fromNode is FromPicture without the groups.
func fromNode(n picture.Node) NodeStatus {
	return NodeStatus{
		Version: Version, Node: n.Node, Release: n.Version, Session: n.Session, Started: n.Started, ListenPort: n.ListenPort, Addresses: n.Addrs,
	}
}

func fromGroup(g picture.Group) GroupStatus {
	s := GroupStatus{
		Name: g.Name, Self: g.Self, RedisPort: g.RedisPort, State: strings.ReplaceAll(string(g.State), " ", "_"),
		Master: g.Master, Epoch: g.Epoch, Writable: g.Writable, LeaseMS: g.Lease.Milliseconds(), LeaseLeftMS: g.HoldLeft.Milliseconds(),
		Gate: g.Gate, GateMode: g.GateMode, Fence: g.Fence.String(), FenceWhy: g.FenceWhy, Generation: g.Generation, Pair: g.Pair, CanFailOver: g.Ready,
		Why: []ReasonStatus{}, VIPs: []VIPStatus{}, VIPHeld: g.HasVIP, VIPWhy: maybeReason(g.VIPWhy), Members: []MemberStatus{}, Candidates: []CandidateStatus{}, Recent: []NotedEntry{},
	}
	for _, v := range g.VIPs {
		s.VIPs = append(s.VIPs, VIPStatus{Address: v.Addr, Device: v.Dev, Held: v.Held, Trouble: v.Trouble})
	}
	if k := g.Pause; k.Left > 0 {
		s.Pause = &PauseStatus{By: k.By, ForMS: k.For.Milliseconds(), LeftMS: k.Left.Milliseconds(), Text: k.Text}
	}
	for _, r := range g.Why {
		s.Why = append(s.Why, fromReason(r))
	}
	for _, m := range g.Members {
		s.Members = append(s.Members, fromMember(m))
	}
	for _, c := range g.Candidates {
		s.Candidates = append(s.Candidates, CandidateStatus{Node: c.Node, Place: c.Place, Out: maybeReason(c.Out)})
	}
	for _, n := range g.Recent {
		s.Recent = append(s.Recent, fromNoted(n))
	}
	return s
}

func fromMember(m picture.Member) MemberStatus {
	s := MemberStatus{
		Node: m.Node, Voter: m.Voter, Data: m.Data, Fit: m.Fit, Unfit: maybeReason(m.Unfit), LagBytes: known(m.Lag), InSync: m.InSync,
		Fence: m.Fence.String(), Gate: m.Gate, Differs: m.Differs, OtherSettings: m.OtherSettings,
		Differences: m.Differences, Release: m.Version,
	}
	if m.Heard >= 0 {
		s.HeardMS = known(m.Heard.Milliseconds())
	}
	if m.Known {
		v := fromServer(m.Server)
		s.Server = &v
	}
	return s
}

func fromServer(v words.Server) ServerStatus {
	s := ServerStatus{
		RunID: v.RunID, Role: v.Role.String(), ReplID: v.ReplID, Offset: v.Offset, ReplID2: v.ReplID2, SecondOffset: known(v.Second),
		Keys: known(v.Keys), MasterHost: v.Master, MasterPort: v.MasterPort, LinkUp: v.LinkUp, Syncing: v.Syncing, Loading: v.Loading,
		Priority: v.Priority, ReadOnly: v.ReadOnly, BornFenced: v.BornFenced, Cluster: v.Cluster, ActiveReplica: v.Active, DiskFails: v.DiskFails,
		Version: v.Version, UptimeS: int64(v.Uptime / time.Second),
		Replicas: []ReplicaStatus{},
	}
	for _, r := range v.Replicas {
		s.Replicas = append(s.Replicas, ReplicaStatus{Address: r.Addr, Offset: r.Offset, Online: r.Online})
	}
	return s
}

func fromReason(r words.Reason) ReasonStatus {
	return ReasonStatus{Code: r.Code, Node: r.Node, Other: r.Other, N: r.N, M: r.M, Text: r.Text, Sentence: explain.Sentence(r)}
}

// maybeReason returns nil where there is no reason.
func maybeReason(r words.Reason) *ReasonStatus {
	if r.Zero() {
		return nil
	}
	s := fromReason(r)
	return &s
}

func fromNoted(n picture.Noted) NotedEntry {
	return NotedEntry{At: n.At, AgoMS: n.Ago.Milliseconds(), Reason: fromReason(n.Reason)}
}

// known returns nil for a negative number, which means in a picture that it is not known.
func known[T ~int64](n T) *T {
	if n < 0 {
		return nil
	}
	return &n
}
