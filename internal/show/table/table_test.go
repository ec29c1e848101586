package table

import (
	"errors"
	"flag"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"redkeep/internal/picture"
	"redkeep/internal/words"
)

var update = flag.Bool("update", false, "write the golden files anew")

// healthy is a group whose master, h1, is this node.
func healthy() picture.Node {
	master := words.Server{Role: words.RoleMaster, BornFenced: true, Position: words.Position{Offset: 123456}}
	replica := words.Server{Role: words.RoleReplica, BornFenced: true, Position: words.Position{Offset: 123400}, LinkUp: true}
	return picture.Node{
		Node: "h1", Version: "0.1.0",
		Groups: []picture.Group{{
			Name: "orders", Self: "h1", State: picture.StateHolder, Master: "h1", Epoch: 7, Writable: true, HoldLeft: 812*time.Millisecond + 300*time.Microsecond,
			Lease: time.Second, Gate: "slot 3", GateMode: "on", Fence: words.FenceHard, Ready: true,
			Members: []picture.Member{
				{Node: "h1", Voter: true, Data: true, Known: true, Fit: true, Server: master, Lag: -1, Fence: words.FenceHard, Gate: "slot 3", Version: "0.1.0"},
				{Node: "h3", Voter: true, Heard: 41 * time.Millisecond, Lag: -1, Unfit: words.Reason{Code: words.Witness, Node: "h3"}, Gate: "absent", Version: "0.1.0"},
				{Node: "h2", Voter: true, Data: true, Known: true, Fit: true, InSync: true, Heard: 40 * time.Millisecond, Server: replica, Lag: 56, Fence: words.FenceHard, Gate: "open", Version: "0.1.0"},
			},
			Candidates: []picture.Candidate{{Node: "h2", Place: 1}},
			Recent: []picture.Noted{
				{Ago: 3 * time.Hour, Reason: words.Reason{Code: words.Elected, Node: "h1", N: 7}},
				{Ago: 90 * time.Second, Reason: words.Reason{Code: words.Writable, Node: "h1", N: 7, M: 4000}},
			},
		}},
	}
}

// change returns healthy with its group changed.
func change(how func(*picture.Group)) picture.Node {
	n := healthy()
	how(&n.Groups[0])
	return n
}

var pages = map[string]picture.Node{
	"healthy": healthy(),
	"not-ready": change(func(g *picture.Group) {
		g.Ready, g.Members[2].InSync = false, false
		g.Why = []words.Reason{{Code: words.NotInSync, Node: "h2"}}
		g.Candidates = []picture.Candidate{{Node: "h2", Out: words.Reason{Code: words.NotInSync, Node: "h2"}}}
	}),
	"no-majority": change(func(g *picture.Group) {
		g.State, g.Writable, g.HoldLeft, g.Ready = picture.StateCandidate, false, 0, false
		g.Why = []words.Reason{{Code: words.NoMajority, Node: "h1", N: 1, M: 3}}
		g.Members[1].Heard, g.Members[1].Unfit = -1, words.Reason{Code: words.Unreachable, Node: "h3"}
		g.Members[2].Heard, g.Members[2].Unfit = 75*time.Second, words.Reason{Code: words.Unreachable, Node: "h2", N: 75_000}
		g.Candidates = []picture.Candidate{{Node: "h1", Place: 1}, {Node: "h2", Out: g.Members[2].Unfit}}
	}),
	"fresh": {Node: "h2", Groups: []picture.Group{{
		Name: "orders", Self: "h2", State: picture.StateFollower,
		Members: []picture.Member{{Node: "h1", Data: true, Heard: -1, Lag: -1}, {Node: "h2", Data: true, Lag: -1, Unfit: words.Reason{Code: words.NotSeen, Node: "h2"}}},
		Why:     []words.Reason{{Code: words.WaitsForServers, Node: "h1"}},
	}}},
	"remarks": change(func(g *picture.Group) {
		g.GateMode, g.Fence, g.FenceWhy = "watch", words.FencePartial, "a unix socket that others may open: /run/redis.sock"
		g.Members[1].Differs, g.Members[2].Version = true, "0.0.9"
		g.Members[1].Differences = []string{"data: h1 h2 here, h1 h2 h3 there", "lease: 1s here, 3s there"}
		g.Members[2].OtherSettings = true
		g.Members[2].Server.LinkUp = false
	}),
	"differ": change(func(g *picture.Group) {
		g.State, g.Writable, g.HoldLeft, g.Ready, g.Master, g.Epoch = picture.StateFollower, false, 0, false, "", 0
		g.Members[0].Server = words.Server{Role: words.RoleMaster, Keys: 1, Position: words.Position{ReplID: "0123456789abcdef", Offset: 14}}
		g.Members[2].Server = words.Server{Role: words.RoleReplica, Master: "10.0.0.9", MasterPort: 6379, Keys: 2}
		g.Why = []words.Reason{{Code: words.ServersDiffer, Node: "h1", Other: "h2", N: 1, M: 2}}
		g.Candidates = []picture.Candidate{{Node: "h1", Out: g.Why[0]}}
	}),
	"born-open": change(func(g *picture.Group) { g.Members[2].Server.BornFenced = false }),
	"left":      change(func(g *picture.Group) { g.State, g.Writable = picture.StateLeft, false }),
	"fenced": change(func(g *picture.Group) {
		g.Members[2].Server.Master, g.Members[2].Server.MasterPort = words.DeadEnd, words.DeadEndPort
	}),
	"paused": change(func(g *picture.Group) {
		g.Ready, g.Pause = false, picture.Pause{By: "h3", For: time.Hour, Left: 8*time.Minute + 12*time.Second, Text: "new disks"}
		g.Why = []words.Reason{{Code: words.Paused, Node: "h3", N: 492_000, Text: "new disks"}}
	}),
	"paused-lost": change(func(g *picture.Group) {
		g.State, g.Writable, g.HoldLeft, g.Ready = picture.StateFollower, false, 0, false
		g.Pause = picture.Pause{By: "h3", For: 2 * time.Hour, Left: 65 * time.Minute}
		g.Why = []words.Reason{{Code: words.Paused, Node: "h3", N: 65 * 60_000}}
		g.Members[0].Server, g.Members[0].Unfit = words.Server{}, words.Reason{Code: words.ServerGone, Node: "h1"}
	}),
	"vip": change(func(g *picture.Group) {
		g.HasVIP = true
		g.VIPs = []picture.VIP{{Addr: netip.MustParseAddr("10.77.0.100"), Dev: "eth0", Held: true}, {Addr: netip.MustParseAddr("2001:db8::100"), Dev: "eth0", Held: true}}
	}),
	"vip-trouble": change(func(g *picture.Group) {
		g.VIPWhy = words.Reason{Code: words.VIPTaken, Node: "h1", Text: "10.77.0.100 at 02:00:00:00:00:63"}
		g.VIPs = []picture.VIP{{Addr: netip.MustParseAddr("10.77.0.100")}, {Addr: netip.MustParseAddr("10.77.0.101"), Trouble: "no interface has its subnet"}}
	}),
	"vip-elsewhere": change(func(g *picture.Group) {
		g.Self, g.State, g.HoldLeft = "h2", picture.StateFollower, 0
		g.VIPs = []picture.VIP{{Addr: netip.MustParseAddr("10.77.0.100"), Dev: "eth0"}}
	}),
	"refused": change(func(g *picture.Group) {
		g.Members[2].Heard = -1
		g.Members[2].Unfit = words.Reason{Code: words.PeerRefused, Node: "h2", Text: "it was made with another secret, or for another node"}
		g.Members[1].Unfit = words.Reason{Code: words.PeerRefused, Node: "h3", Text: "it was made with another secret, or for another node"}
		g.Ready, g.Why = false, []words.Reason{g.Members[2].Unfit}
	}),
	"unkept": change(func(g *picture.Group) {
		g.Members[2].Fit, g.Members[2].InSync, g.Members[2].Unfit = false, false, words.Reason{Code: words.ServerCluster, Node: "h2"}
		g.Members[2].Server = words.Server{Role: words.RoleMaster, Cluster: true}
		g.Ready, g.Why = false, []words.Reason{g.Members[2].Unfit}
		g.Candidates = []picture.Candidate{{Node: "h2", Out: g.Members[2].Unfit}}
		g.Members = append(g.Members, g.Members[2])
		four := &g.Members[3]
		four.Node, four.Unfit, four.Server = "h4", words.Reason{Code: words.ServerActive, Node: "h4"}, words.Server{Role: words.RoleReplica, Active: true}
	}),
	"disk": change(func(g *picture.Group) {
		g.Members[0].Server.DiskFails = true
		g.Why = []words.Reason{{Code: words.ServerDisk, Node: "h1"}}
	}),
	"disk-of-a-replica": change(func(g *picture.Group) {
		g.Members[2].Server.DiskFails = true
		g.Ready, g.Why = false, []words.Reason{{Code: words.ServerDisk, Node: "h2"}}
		g.Candidates = []picture.Candidate{{Node: "h2", Out: g.Why[0]}}
	}),
	"left-vip": change(func(g *picture.Group) {
		// As in the second after the others have left, when the master's last beat is not a lease old.
		g.Self, g.State, g.HoldLeft = "h2", picture.StateLeft, 0
		g.VIPs = []picture.VIP{{Addr: netip.MustParseAddr("10.77.0.100"), Dev: "eth0"}, {Addr: netip.MustParseAddr("2001:db8::100"), Dev: "eth0", Held: true}}
		g.VIPWhy = words.Reason{Code: words.VIPTaken, Node: "h1"}
	}),
	"pair": change(pair),
	"pair-alone": change(func(g *picture.Group) {
		pair(g)
		g.State, g.Writable, g.HoldLeft, g.Ready, g.Gate = picture.StateCandidate, false, 0, false, "shut"
		g.Why = []words.Reason{{Code: words.OtherUnheard, Node: "h1"}}
		g.Members[1].Heard, g.Members[1].Unfit = -1, words.Reason{Code: words.Unreachable, Node: "h2"}
	}),
	"none": {Node: "h1", Version: "0.1.0"},
}

// pair makes the group one of two nodes.
func pair(g *picture.Group) {
	g.Pair = true
	g.Members = []picture.Member{g.Members[0], g.Members[2]}
	g.VIPs = []picture.VIP{{Addr: netip.MustParseAddr("10.77.0.100"), Dev: "eth0", Held: true}}
}

func TestPages(t *testing.T) {
	for name, n := range pages {
		var b strings.Builder
		if err := Status(&b, n, Style{}); err != nil {
			t.Fatal(err)
		}
		for _, g := range n.Groups {
			b.WriteString("\n--- explain\n")
			if err := Explain(&b, g, Style{}); err != nil {
				t.Fatal(err)
			}
		}
		compare(t, "testdata/"+name+".txt", b.String())
	}
}

func TestColoursDoNotMoveColumns(t *testing.T) {
	var b strings.Builder
	if err := Status(&b, healthy(), Style{Colour: true}); err != nil {
		t.Fatal(err)
	}
	var bare strings.Builder
	if err := Status(&bare, healthy(), Style{}); err != nil {
		t.Fatal(err)
	}
	without := b.String()
	for _, c := range []colour{"0", bold, red, green, yellow} {
		without = strings.ReplaceAll(without, "\x1b["+string(c)+"m", "")
	}
	if !strings.Contains(b.String(), "\x1b[32mwritable\x1b[0m") || without != bare.String() {
		t.Errorf("%q", b.String())
	}
}

func TestALostAgentIsShown(t *testing.T) {
	var b strings.Builder
	if err := Lost(&b, errors.New("dial 10.0.0.1:26380: \x1b[2Jrefused"), 3*time.Second, Style{Colour: true}); err != nil {
		t.Fatal(err)
	}
	if want := "\x1b[31mthe agent does not answer\x1b[0m for 3s, it is asked again\n  - dial 10.0.0.1:26380:  [2Jrefused\n"; b.String() != want {
		t.Errorf("%q", b.String())
	}
}

func TestHistory(t *testing.T) {
	var b strings.Builder
	entries := healthy().Groups[0].Recent
	for i := range entries {
		entries[i].At = time.Date(2026, 11, 20, 15, 0, i, 7e6, time.Local)
	}
	entries[0].Ago = 50 * time.Hour
	if err := History(&b, entries, Style{}); err != nil {
		t.Fatal(err)
	}
	if want := "2026-11-20 15:00:00.007  2 days ago  h1 was elected in epoch 7\n2026-11-20 15:00:01.007    90 s ago  h1's server takes writes in epoch 7, from offset 4,000 on\n"; b.String() != want {
		t.Errorf("%q", b.String())
	}
}

func TestAWriterThatFailsIsTold(t *testing.T) {
	for _, print := range []func() error{
		func() error { return Status(full{}, healthy(), Style{}) },
		func() error { return Explain(full{}, healthy().Groups[0], Style{}) },
		func() error { return History(full{}, healthy().Groups[0].Recent, Style{}) },
	} {
		if err := print(); !errors.Is(err, errFull) {
			t.Errorf("%v", err)
		}
	}
}

var errFull = errors.New("no space left")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

func compare(t *testing.T, golden, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s (-golden +now; go test -update writes it anew):\n%s", golden, d)
	}
}
