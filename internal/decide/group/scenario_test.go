package group

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"redkeep/internal/decide"
	"redkeep/internal/words"
)

// TestScenarios drives machines by scripts, one rule a file. A command is followed by what it led to; -rewrite records anew, and
// what is recorded has to be read against the rule that the file names. The commands:
//
//	group [data=(h1,h2)] [voters=5] [vip] [ungated] [bare]   machines of one group; the input gives each server: node, role, keys=N, offset=N, cluster
//	start [NODE]...                   agents start
//	run DURATION                      time passes
//	show                              one line for each node
//	do                                the input's lines, one after the other: see act
//	talk PREFIX,...                   messages whose lines begin so are shown from now on
func TestScenarios(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		var s *stand
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			if s == nil && d.Cmd != "group" {
				d.Fatalf(t, "the first command is group")
			}
			if s != nil {
				s.out.Reset()
				s.since = s.now
			}
			switch d.Cmd {
			case "group":
				s = newGroup(t, d)
			case "start":
				s.start(t, d)
			case "run":
				s.run(parse(t, d.CmdArgs[0].Key))
			case "show":
				s.table()
			case "talk":
				s.talk = strings.Split(strings.TrimSpace(d.Input), "\n")
			case "do":
				for line := range strings.Lines(d.Input) {
					s.act(t, strings.Fields(line))
				}
			default:
				d.Fatalf(t, "no command %q", d.Cmd)
			}
			return s.out.String()
		})
	})
}

func parse(t *testing.T, s string) time.Duration {
	d, err := time.ParseDuration(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func newGroup(t *testing.T, d *datadriven.TestData) *stand {
	setup := decide.Setup{
		Group: "orders", Lease: time.Second, DownAfter: time.Second, BusyAfter: 30 * time.Second,
		ColdStartWait: 30 * time.Second, Patience: 5 * time.Second, Jiffy: 4 * time.Millisecond,
	}
	voters := 3
	d.MaybeScanArgs(t, "voters", &voters)
	for i := range voters {
		setup.Voters = append(setup.Voters, words.Node(fmt.Sprintf("h%d", i+1)))
	}
	setup.Data = setup.Voters
	for _, a := range d.CmdArgs {
		if a.Key == "data" {
			setup.Data = nil
			for _, v := range a.Vals {
				setup.Data = append(setup.Data, words.Node(v))
			}
		}
		if a.Key == "prefer" {
			setup.Prefer, setup.FailBack = words.Node(a.Vals[0]), true
		}
		setup.VIP = setup.VIP || a.Key == "vip"
		setup.Ungated = setup.Ungated || a.Key == "ungated"
	}
	s := newStand(setup)
	s.bare = slices.ContainsFunc(d.CmdArgs, func(a datadriven.CmdArg) bool { return a.Key == "bare" })
	s.since = s.now
	for line := range strings.Lines(d.Input) {
		s.found(t, strings.Fields(line))
	}
	return s
}

// found makes a server that was there before any agent.
func (s *stand) found(t *testing.T, f []string) {
	h := s.host(words.Node(f[0]))
	s.process(h, 0)
	for _, w := range f[1:] {
		k, v, _ := strings.Cut(w, "=")
		n, _ := strconv.ParseInt(v, 10, 64)
		switch k {
		case "keys":
			h.server.Keys = n
		case "offset":
			h.server.Offset = words.Offset(n)
		case "of":
			addr := s.setup.Servers[words.Node(v)]
			h.server.Role, h.server.Master, h.server.MasterPort = words.RoleReplica, addr.Addr().String(), addr.Port()
			s.look(h)
		case "cluster":
			h.server.Cluster = true
		default:
			t.Fatalf("no property %q", w)
		}
	}
}

func (s *stand) start(t *testing.T, d *datadriven.TestData) {
	for _, h := range s.hosts {
		wanted := len(d.CmdArgs) == 0
		for _, a := range d.CmdArgs {
			wanted = wanted || a.Key == string(h.name)
		}
		if wanted {
			s.agent(h, false)
		}
	}
}

// act does one line of a script: a fault, its end, or a request.
//
//nolint:funlen // the script's words, one case each
func (s *stand) act(t *testing.T, f []string) {
	switch f[0] {
	case "heal":
		clear(s.cut)
		return
	case "stranger": // takes the group's address, or lets it be
		s.stranger = f[1] == "comes"
		return
	}
	h := s.host(words.Node(f[1]))
	arg := func(i int) string {
		if len(f) <= i {
			t.Fatalf("%v: too short", f)
		}
		return f[i]
	}
	switch f[0] {
	case "kill": // the server's process
		h.alive = false
		s.event(h, decide.Lost{Cause: decide.LossExited})
	case "stop": // the server's process, by a signal
		h.mute = true
		s.event(h, decide.Silent{For: 100 * time.Millisecond, Process: decide.ProcessStopped})
	case "continue":
		h.mute = false
		h.nextSee = s.now
	case "restart": // the server's process, with its data, or empty
		h.server.Offset = 0
		keys := h.server.Keys
		if len(f) > 2 && f[2] == "empty" {
			keys = 0
		}
		s.process(h, keys)
	case "power-off":
		s.kill(h)
		h.alive, h.on, h.gate, h.vip = false, false, decide.GateState{Mode: decide.GateShut}, 0
	case "boot": // with the gate shut before the server starts
		h.on = true
		s.process(h, h.server.Keys)
		s.agent(h, false)
	case "kill-agent":
		s.kill(h)
	case "start-agent":
		s.agent(h, true)
	case "lose-store":
		h.disk, h.lost = words.Register{}, true
	case "vote-ahead": // as if its vote had been had by somebody that failed since
		s.kill(h)
		h.disk.Vote = words.Ballot{Epoch: h.disk.Vote.Epoch + 1, Holder: words.Node(arg(2))}
		s.agent(h, true)
	case "flush-gate":
		h.gate = decide.GateState{Mode: decide.GateAbsent}
	case "cut": // from a node to another
		s.cut[[2]words.Node{h.name, words.Node(arg(2))}] = true
	case "isolate":
		for _, o := range s.hosts {
			s.cut[[2]words.Node{h.name, o.name}], s.cut[[2]words.Node{o.name, h.name}] = true, true
		}
	case "heal":
		clear(s.cut)
	case "deafen":
		for _, o := range s.hosts {
			s.cut[[2]words.Node{o.name, h.name}] = true
		}
	case "fill", "free": // the server's disk
		h.server.DiskFails = f[0] == "fill"
		h.nextSee = s.now
	case "unlink", "link":
		h.unlinked = f[0] == "unlink"
	case "write":
		n, _ := strconv.Atoi(arg(2))
		s.write(h, words.Offset(n))
	case "promote": // by a stranger's hand
		s.order(h, decide.Promote{RunID: h.server.RunID})
	case "take-vip": // another program takes the address away
		h.vip = 0
		s.event(h, decide.VIPSeen{Broken: true, By: "dhclient[77]", Err: strings.Join(f[2:], " ")})
	case "expire-vip": // the kernel ends the address, which the hand puts back
		s.event(h, decide.VIPSeen{RanOut: parse(t, arg(2))})
	case "claim": // a stranger says once that the address is its
		s.event(h, decide.VIPSeen{Claimed: "02:00:00:00:00:63"})
	case "sleep":
		s.event(h, decide.Slept{For: parse(t, arg(2))})
	case "fail", "mend": // a hand: gate, arm, disk, server, vip, probe
		s.fails[arg(1)+" "+arg(2)] = f[0] == "fail"
	case "ask":
		s.event(h, decide.Asked{ID: 1, Request: request(t, f[2:])})
	default:
		t.Fatalf("no word %q", f[0])
	}
}

func (s *stand) event(h *host, ev decide.Event) {
	if h.machine != nil {
		s.step(h, ev)
	}
}

func request(t *testing.T, f []string) decide.Request {
	to := words.Node("")
	if len(f) > 1 && f[1] != "accept-loss" {
		to = words.Node(f[1])
	}
	loss := f[len(f)-1] == "accept-loss"
	switch f[0] {
	case "switchover":
		return decide.Switchover{To: to}
	case "bootstrap":
		return decide.Bootstrap{Master: to, AcceptLoss: loss}
	case "recover":
		return decide.Recover{AcceptLoss: loss}
	case "stop":
		return decide.Stop{}
	case "leave":
		return decide.Leave{}
	case "suspend":
		return decide.Suspend{}
	case "pause":
		return decide.PauseFailover{For: parse(t, f[1]), Text: "new disks"}
	case "resume":
		return decide.ResumeFailover{}
	}
	t.Fatalf("no request %q", f[0])
	return nil
}
