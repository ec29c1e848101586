package group

import (
	"net/netip"
	"testing"
	"time"

	"pgregory.net/rapid"

	"redkeep/internal/decide"
	"redkeep/internal/words"
)

// solo is one machine among nodes that say anything, with hands that answer late, never, or with an error.
type solo struct {
	t     *rapid.T
	m     *Machine
	at    words.Instant
	owed  []decide.Action // with tickets that have not been answered
	voted map[words.Epoch]words.Node
	// bound is whom this machine has promised to vote for nobody but, until when, and by which request.
	bound   words.Node
	epoch   words.Epoch
	until   words.Instant
	session words.Session
	seq     words.Seq
	// question is what was asked last, for nodes that agree.
	question decide.Message
	// gate is the kernel's, by the orders that did not fail.
	gate decide.GateState
}

var trio, quintet = []words.Node{"a", "b", "c"}, []words.Node{"a", "b", "c", "d", "e"}

func newSolo(t *rapid.T) *solo {
	s := &solo{t: t, at: words.Instant(time.Hour), voted: map[words.Epoch]words.Node{}}
	voters := draw(t, "voters", trio, quintet)
	setup := decide.Setup{
		Group: "g", Self: "a", Voters: voters, Data: voters, Lease: time.Second, DownAfter: time.Second, BusyAfter: 3 * time.Second,
		ColdStartWait: 3 * time.Second, Patience: 2 * time.Second, Jiffy: 4 * time.Millisecond,
		Servers: map[words.Node]netip.AddrPort{}, Random: func() uint64 { return 7 },
		VIP: rapid.Bool().Draw(t, "vip"), Ungated: rapid.IntRange(0, 4).Draw(t, "ungated") == 0,
	}
	for i, n := range voters {
		setup.Servers[n] = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(i + 1)}), 6379)
	}
	boot := decide.Boot{Session: 3, SameBoot: rapid.Bool().Draw(t, "same boot"), Gate: draw(t, "gate", decide.GateState{}, decide.GateState{Mode: decide.GateShut}, decide.GateState{Mode: decide.GateSlot, Slot: 2}, decide.GateState{Mode: decide.GateOpen})}
	if rapid.Bool().Draw(t, "known before") {
		boot.Register = words.Register{Admitted: true, Generation: 1, Members: voters, LMax: time.Second, Rows: []words.Row{row(2, "a"), row(3, draw(t, "last", "a", words.Node("b")))}}
		boot.Register.Vote = words.Ballot{Epoch: 3, Holder: boot.Register.Newest().Holder}
		s.voted[3] = boot.Register.Vote.Holder
	}
	s.gate = boot.Gate
	s.m = New(setup, boot)
	return s
}

func draw[T any](t *rapid.T, label string, choice ...T) T {
	return rapid.SampledFrom(choice).Draw(t, label)
}

func row(e words.Epoch, n words.Node) words.Row {
	return words.Row{Epoch: e, Holder: n, RunID: words.RunID("run" + n), ReplID: words.ReplID("hist" + n), From: words.Offset(100 * e)}
}

func (s *solo) server() words.Server {
	t := s.t
	v := words.Server{
		RunID: draw(t, "run", words.RunID("runa"), "runx"), Role: draw(t, "role", words.RoleMaster, words.RoleReplica),
		Keys: draw(t, "keys", int64(-1), 0, 9), Priority: draw(t, "priority", 100, 0), LinkUp: true,
		Position: words.Position{ReplID: draw(t, "history", words.ReplID("hista"), "histb", "histx"), Offset: draw(t, "offset", words.Offset(0), 250, 900), Second: -1},
		Loading:  rapid.IntRange(0, 9).Draw(t, "loading") == 0, BornFenced: rapid.Bool().Draw(t, "fenced"),
	}
	if v.Role == words.RoleReplica {
		v.Master, v.MasterPort = draw(t, "master", "10.0.0.2", "10.0.0.3", words.DeadEnd), 6379
		if v.Master == words.DeadEnd {
			v.MasterPort = words.DeadEndPort
		}
	}
	return v
}

func (s *solo) claim() decide.Claim {
	return decide.Claim{Server: s.server(), Fit: rapid.Bool().Draw(s.t, "fit"), Sealed: s.drawEpoch()}
}

func (s *solo) drawEpoch() words.Epoch {
	return draw(s.t, "epoch", words.Epoch(0), 1, 2, 3, 4, 5, 6, 7, 1<<40)
}

func (s *solo) release() decide.Release {
	return decide.Release{
		Epoch: s.drawEpoch(), Holder: draw(s.t, "holder", "b", words.Node("c")), Session: draw(s.t, "session", words.Session(1), 2),
		Seq: draw(s.t, "seq", words.Seq(1), 2, 9), Successor: draw(s.t, "successor", "", words.Node("a")), Unfit: rapid.Bool().Draw(s.t, "unfit"),
	}
}

// message is anything that another node could say, and some that none would.
//
//nolint:funlen // the closed set of messages, one case each
func (s *solo) message() decide.Message {
	t, e, q := s.t, s.drawEpoch(), draw(s.t, "seq", words.Seq(1), 2, 3, 9)
	lease := draw(t, "lease", time.Second, 300*time.Millisecond, 2*time.Second)
	r := row(draw(t, "row", words.Epoch(2), 4, 6), draw(t, "of", "b", words.Node("c")))
	own := draw(t, "echo", words.Session(3), 2)
	round := draw(t, "round", uint64(7), 8)
	why := words.Reason{Code: draw(t, "why", words.OlderEpoch, words.VotedAlready, words.GrantHeld)}
	list := draw(t, "list", trio, []words.Node{"b"}, nil)
	gen := draw(t, "generation", uint64(1), 1, 1, 2, 3)
	switch rapid.IntRange(0, 18).Draw(t, "message") {
	case 0, 1:
		return decide.Beat{Epoch: e, Seq: q, Lease: lease, Generation: gen, Row: r}
	case 2:
		return decide.Grant{Epoch: e, Session: own, Seq: q, Lease: lease}
	case 3:
		return decide.Refuse{Epoch: e, Session: own, Seq: q, Seen: e, Reason: why, Generation: gen, Members: list}
	case 4:
		c := s.claim()
		return decide.Status{Seen: e, Generation: gen, Free: rapid.Bool().Draw(t, "free"), Claim: &c, Rows: []words.Row{r}}
	case 5:
		return decide.PreVote{Round: round, Claim: s.claim(), Rows: []words.Row{r}, Releases: []decide.Release{s.release()}, Handover: rapid.Bool().Draw(t, "handover"), Reclaim: rapid.Bool().Draw(t, "reclaim")}
	case 6:
		return decide.PreVoted{Round: round, Yes: rapid.Bool().Draw(t, "yes"), Reason: why, Seen: e}
	case 7, 8:
		return decide.Vote{Epoch: e, Seq: q, Lease: lease, Generation: gen, Claim: s.claim(), Releases: []decide.Release{s.release()}, Reclaim: rapid.Bool().Draw(t, "reclaim"), Basis: draw(t, "basis", decide.BasisLineage, decide.BasisFirst, decide.BasisCold, decide.BasisChosen)}
	case 9:
		return decide.Voted{Epoch: e, Session: own, Seq: q, Lease: lease}
	case 10:
		return s.release()
	case 11:
		return decide.ReleaseSeen{Epoch: e, Session: own, Seq: q}
	case 12:
		return decide.Readmit{Nonce: round}
	case 13:
		return decide.Readmitted{Nonce: round, Seen: e, Fresh: rapid.Bool().Draw(t, "fresh"), Generation: 1, Members: trio}
	case 14:
		return decide.Prepare{Round: round, Epoch: e}
	case 15:
		return decide.Prepared{Round: round, OK: rapid.Bool().Draw(t, "ok")}
	case 16:
		return decide.Level{Round: round, Offset: 300}
	case 17:
		return decide.Leveled{Round: round, Offset: 900}
	default:
		return decide.Choose{Master: draw(t, "chosen", "a", words.Node("b")), AcceptLoss: true}
	}
}

// step gives the machine an event, looks at what it answers, and makes sure that it comes to rest.
func (s *solo) step(ev decide.Event) {
	s.noteRelease(ev)
	s.judge(s.m.Step(s.at, ev))
	for range 30 {
		if wake, ok := s.m.Wake(); !ok || wake > s.at {
			return
		}
		s.judge(s.m.Step(s.at, decide.Tick{}))
	}
	wake, _ := s.m.Wake()
	s.t.Fatalf("30 ticks later it is %v and it wants to be woken at %v still", s.at, wake)
}

func (s *solo) judge(actions []decide.Action) {
	for _, a := range actions {
		switch act := a.(type) {
		case decide.Arm, decide.SetGate, decide.Persist, decide.ResetClients, decide.Instruct, decide.SetVIP, decide.ProbeVIP:
			s.owed = append(s.owed, a)
		case decide.Halt:
			s.t.Fatalf("it stops the agent: %v", act.Reason)
		case decide.Send:
			switch msg := act.Message.(type) {
			case decide.PreVote, decide.Vote, decide.Beat:
				s.question = msg
			case decide.Grant:
				s.bind(act.To, msg.Epoch, msg.Lease, msg.Session, msg.Seq)
			case decide.Voted:
				if old, ok := s.voted[msg.Epoch]; ok && old != act.To {
					s.t.Fatalf("voted in epoch %d for %s and for %s", msg.Epoch, old, act.To)
				}
				if s.bound != "" && s.bound != act.To && s.at < s.until && msg.Epoch >= s.epoch {
					s.t.Fatalf("voted for %s in %d at %v while %s is promised epoch %d until %v", act.To, msg.Epoch, s.at, s.bound, s.epoch, s.until)
				}
				s.voted[msg.Epoch] = act.To
				s.bind(act.To, msg.Epoch, msg.Lease, msg.Session, msg.Seq)
			}
		}
	}
}

func (s *solo) bind(n words.Node, e words.Epoch, d time.Duration, session words.Session, q words.Seq) {
	s.bound, s.epoch, s.until, s.session, s.seq = n, e, s.at.Add(d), session, q
}

// agree has a node say yes to what was asked last.
func (s *solo) agree(n words.Node) {
	var yes decide.Message
	switch q := s.question.(type) {
	case decide.PreVote:
		yes = decide.PreVoted{Round: q.Round, Yes: true}
	case decide.Vote:
		yes = decide.Voted{Epoch: q.Epoch, Session: 3, Seq: q.Seq, Lease: q.Lease}
	case decide.Beat:
		yes = decide.Grant{Epoch: q.Epoch, Session: 3, Seq: q.Seq, Lease: q.Lease}
	default:
		return
	}
	s.step(decide.Received{From: n, Session: 2, Message: yes})
}

// calm is a good day: everybody agrees, the hands do their work, the server is well.
func (s *solo) calm(steps int) {
	well := words.Server{
		RunID: "runa", Role: words.RoleReplica, Keys: 9, Priority: 100, BornFenced: true, Master: words.DeadEnd, MasterPort: words.DeadEndPort,
		Position: words.Position{ReplID: "hista", Offset: 900, Second: -1},
	}
	for range steps {
		if s.m.holder != nil {
			well.Role, well.Master = words.RoleMaster, ""
		}
		for range min(len(s.owed), 8) {
			s.settle(0, "", well)
		}
		s.step(decide.Seen{Server: well})
		for _, n := range quintet[1:] {
			s.agree(n)
		}
		if wake, ok := s.m.Wake(); ok && wake != words.Never {
			s.at = max(s.at, wake)
		}
		s.step(decide.Tick{})
	}
}

// noteRelease unbinds by a release that names what bound, heard from its holder or passed on.
func (s *solo) noteRelease(ev decide.Event) {
	rec, ok := ev.(decide.Received)
	if !ok {
		return
	}
	var heard []decide.Release
	switch msg := rec.Message.(type) {
	case decide.Release:
		heard = []decide.Release{msg}
	case decide.Vote:
		heard = msg.Releases
	case decide.PreVote:
		heard = msg.Releases
	}
	for _, r := range heard {
		if r.Holder == s.bound && s.epoch <= r.Epoch && (r.Session > s.session || r.Session == s.session && r.Seq >= s.seq) {
			s.bound = ""
		}
	}
}

// answer gives one owed ticket back, well or badly.
func (s *solo) answer(i int, err string) { s.settle(i, err, s.server()) }

func (s *solo) settle(i int, err string, server words.Server) {
	a := s.owed[i]
	s.owed = append(s.owed[:i:i], s.owed[i+1:]...)
	switch act := a.(type) {
	case decide.Arm:
		if s.gate.Mode == decide.GateSlot && s.gate.Slot == act.Slot {
			s.t.Fatalf("it arms slot %d, which the gate points at", act.Slot)
		}
		s.step(decide.Done{Ticket: act.Ticket, Err: err})
	case decide.SetGate:
		if err == "" {
			s.gate = act.Gate
		}
		s.step(decide.Done{Ticket: act.Ticket, Err: err})
	case decide.Persist:
		s.step(decide.Done{Ticket: act.Ticket, Err: err})
	case decide.SetVIP:
		s.step(decide.Done{Ticket: act.Ticket, Err: err})
	case decide.ProbeVIP:
		s.step(decide.Probed{Ticket: act.Ticket, Err: err, Taken: err == "" && rapid.Bool().Draw(s.t, "taken"), By: "x"})
	case decide.ResetClients:
		s.step(decide.Done{Ticket: act.Ticket, Err: err})
	case decide.Instruct:
		s.step(decide.Ordered{Ticket: act.Ticket, Err: err, Server: server})
	}
}

// TestAnyHistory gives one machine events that no sane group would: it does not panic, does not halt, does not ask to be woken
// in the past for ever, votes for one node in each epoch and for nobody while another is promised, and arms no slot that the gate points at.
func TestAnyHistory(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newSolo(t)
		from := func(t *rapid.T) words.Node { return draw(t, "from", quintet[1:]...) }
		t.Repeat(map[string]func(*rapid.T){
			"time": func(t *rapid.T) {
				s.at = s.at.Add(time.Duration(rapid.IntRange(1, 700).Draw(t, "ms")) * time.Millisecond)
				s.step(decide.Tick{})
			},
			"wake": func(t *rapid.T) {
				if wake, ok := s.m.Wake(); ok && wake > s.at && wake != words.Never {
					s.at = wake
				}
				s.step(decide.Tick{})
			},
			"message": func(t *rapid.T) {
				n := from(t)
				s.step(decide.Received{From: n, Session: draw(t, "of session", words.Session(1), 1, 2), Message: s.message()})
			},
			"answer": func(t *rapid.T) {
				if len(s.owed) > 0 {
					s.answer(0, draw(t, "err", "", "", "", "", "", "it failed"))
				}
			},
			"agreed": func(t *rapid.T) { s.agree(draw(t, "by", quintet[1:]...)) },
			"calm":   func(t *rapid.T) { s.calm(rapid.IntRange(1, 12).Draw(t, "steps")) },
			"seen":   func(*rapid.T) { s.step(decide.Seen{Server: s.server()}) },
			"lost":   func(t *rapid.T) { s.step(decide.Lost{Cause: draw(t, "cause", decide.LossClosed, decide.LossRefused)}) },
			"silent": func(t *rapid.T) { s.step(decide.Silent{For: time.Second, Busy: rapid.Bool().Draw(t, "busy")}) },
			"complained": func(t *rapid.T) {
				s.step(decide.Complained{Kind: draw(t, "kind", decide.ComplaintBusy, decide.ComplaintLoading)})
			},
			"vip": func(t *rapid.T) {
				s.step(decide.VIPSeen{Claimed: draw(t, "claimed", "", "x"), Broken: true, Err: draw(t, "err", "", "it failed")})
			},
			"slept": func(*rapid.T) { s.step(decide.Slept{For: 2 * time.Second}) },
			"asked": func(t *rapid.T) {
				s.step(decide.Asked{ID: 1, Request: draw[decide.Request](t, "request", decide.Switchover{}, decide.Bootstrap{Master: "a", AcceptLoss: true}, decide.Leave{}, decide.Recover{})})
			},
			"": func(*rapid.T) { s.m.Picture() },
		})
	})
}
