package api

import (
	"strings"
	"time"

	"redkeep/internal/picture"
	"redkeep/internal/words"
)

// Picture returns the node's status as the value that faces print. It is FromPicture's reverse, but for what lies below a
// millisecond (a second for uptimes).
func (s NodeStatus) Picture() picture.Node {
	n := picture.Node{
		Node: s.Node, Version: s.Release, Session: s.Session, Started: s.Started, Addrs: s.Addresses, ListenPort: s.ListenPort,
	}
	for _, g := range s.Groups {
		n.Groups = append(n.Groups, g.Picture())
	}
	return n
}

// Picture returns the group's status as the value that faces print.
func (s GroupStatus) Picture() picture.Group {
	g := picture.Group{
		Name: s.Name, Self: s.Self, RedisPort: s.RedisPort, State: picture.State(strings.ReplaceAll(s.State, "_", " ")),
		Master: s.Master, Epoch: s.Epoch, Writable: s.Writable, Lease: millis(s.LeaseMS), HoldLeft: millis(s.LeaseLeftMS),
		Gate: s.Gate, GateMode: s.GateMode, Fence: fence(s.Fence), FenceWhy: s.FenceWhy, Generation: s.Generation, Pair: s.Pair, Ready: s.CanFailOver,
		HasVIP: s.VIPHeld, VIPWhy: s.VIPWhy.Reason(),
	}
	for _, v := range s.VIPs {
		g.VIPs = append(g.VIPs, picture.VIP{Addr: v.Address, Dev: v.Device, Held: v.Held, Trouble: v.Trouble})
	}
	if k := s.Pause; k != nil {
		g.Pause = picture.Pause{By: k.By, For: millis(k.ForMS), Left: millis(k.LeftMS), Text: k.Text}
	}
	for _, r := range s.Why {
		g.Why = append(g.Why, r.Reason())
	}
	for _, m := range s.Members {
		g.Members = append(g.Members, m.picture())
	}
	for _, c := range s.Candidates {
		g.Candidates = append(g.Candidates, picture.Candidate{Node: c.Node, Place: c.Place, Out: c.Out.Reason()})
	}
	for _, e := range s.Recent {
		g.Recent = append(g.Recent, e.Picture())
	}
	return g
}

func (s MemberStatus) picture() picture.Member {
	m := picture.Member{
		Node: s.Node, Voter: s.Voter, Data: s.Data, Heard: -1, Fit: s.Fit, Unfit: s.Unfit.Reason(), Lag: -1, InSync: s.InSync,
		Fence: fence(s.Fence), Gate: s.Gate, Differs: s.Differs, OtherSettings: s.OtherSettings,
		Differences: s.Differences, Version: s.Release,
	}
	if s.HeardMS != nil {
		m.Heard = millis(*s.HeardMS)
	}
	if s.LagBytes != nil {
		m.Lag = *s.LagBytes
	}
	if s.Server != nil {
		m.Known, m.Server = true, s.Server.server()
	}
	return m
}

func (s ServerStatus) server() words.Server {
	v := words.Server{
		RunID: s.RunID, Role: role(s.Role), Position: words.Position{ReplID: s.ReplID, Offset: s.Offset, ReplID2: s.ReplID2, Second: -1},
		Keys: -1, Master: s.MasterHost, MasterPort: s.MasterPort, LinkUp: s.LinkUp, Syncing: s.Syncing, Loading: s.Loading,
		Priority: s.Priority, ReadOnly: s.ReadOnly, BornFenced: s.BornFenced, Cluster: s.Cluster, Active: s.ActiveReplica, DiskFails: s.DiskFails,
		Version: s.Version, Uptime: time.Duration(s.UptimeS) * time.Second,
	}
	if s.SecondOffset != nil {
		v.Second = *s.SecondOffset
	}
	if s.Keys != nil {
		v.Keys = *s.Keys
	}
	for _, r := range s.Replicas {
		v.Replicas = append(v.Replicas, words.Replica{Addr: r.Address, Offset: r.Offset, Online: r.Online})
	}
	return v
}

// Reason returns the value without its sentence; the zero Reason of nil.
func (s *ReasonStatus) Reason() words.Reason {
	if s == nil {
		return words.Reason{}
	}
	return words.Reason{Code: s.Code, Node: s.Node, Other: s.Other, N: s.N, M: s.M, Text: s.Text}
}

// Picture returns the entry as the value that faces print.
func (s NotedEntry) Picture() picture.Noted {
	return picture.Noted{At: s.At, Ago: millis(s.AgoMS), Reason: s.Reason.Reason()}
}

func millis(n int64) time.Duration { return time.Duration(n) * time.Millisecond }

func fence(word string) words.Fence {
	for _, f := range []words.Fence{words.FenceSoft, words.FencePartial, words.FenceHard} {
		if f.String() == word {
			return f
		}
	}
	return words.FenceUnknown
}

func role(word string) words.Role {
	for _, r := range []words.Role{words.RoleMaster, words.RoleReplica} {
		if r.String() == word {
			return r
		}
	}
	return words.RoleUnknown
}
