package api

import (
	"encoding/json"
	"flag"
	"net/netip"
	"os"
	"reflect"
	"regexp"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"redkeep/internal/picture"
	"redkeep/internal/words"
)

var update = flag.Bool("update", false, "write the golden file anew")

var started = time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC)

const (
	run1 = "1111111111111111111111111111111111111111"
	run2 = "2222222222222222222222222222222222222222"
	repl = "abcdefabcdefabcdefabcdefabcdefabcdefabcd"
)

// sample is a group of three nodes as the master's own agent sees it: one replica in sync, one node never heard.
func sample() picture.Node {
	return picture.Node{
		Node: "h1", Version: "0.1.0", Session: 4, Started: started, ListenPort: 26379,
		Addrs: map[words.Node]netip.Addr{"h1": netip.MustParseAddr("10.77.0.11"), "h2": netip.MustParseAddr("10.77.0.12"), "h3": netip.MustParseAddr("10.77.0.13")},
		Groups: []picture.Group{{
			Name: "orders", Self: "h1", RedisPort: 6379, State: picture.StateHolder, Master: "h1", Epoch: 7, Writable: true,
			HoldLeft: 812 * time.Millisecond, Lease: time.Second, Gate: "slot 3", GateMode: "on", Fence: words.FenceHard, Generation: 1,
			Why: []words.Reason{{Code: words.NoMajority, N: 1, M: 3}},
			Members: []picture.Member{
				{
					Node: "h1", Voter: true, Data: true, Known: true, Fit: true, InSync: true, Fence: words.FenceHard, Gate: "slot 3", Version: "0.1.0",
					Server: words.Server{
						RunID: run1, Role: words.RoleMaster, Position: words.Position{ReplID: repl, Offset: 5000, Second: -1}, Keys: 12, Priority: 100, ReadOnly: true,
						Replicas: []words.Replica{{Addr: netip.MustParseAddrPort("10.77.0.12:6379"), Offset: 4990, Online: true}}, BornFenced: true, Version: "7.0.15", Uptime: time.Hour,
					},
				},
				{
					Node: "h2", Voter: true, Data: true, Heard: 40 * time.Millisecond, Known: true, Fit: true, Lag: 10, InSync: true, Fence: words.FencePartial,
					Gate: "open", Differs: true, Version: "0.1.0", Server: words.Server{
						RunID: run2, Role: words.RoleReplica, Position: words.Position{ReplID: repl, Offset: 4990, ReplID2: run1, Second: 100}, Keys: 12,
						Master: "10.77.0.11", MasterPort: 6379, LinkUp: true, Priority: 100, ReadOnly: true, Version: "7.0.15", Uptime: time.Minute,
					},
				},
				{Node: "h3", Voter: true, Heard: -1, Lag: -1, Unfit: words.Reason{Code: words.Witness, Node: "h3"}},
			},
			VIPs:   []picture.VIP{{Addr: netip.MustParseAddr("10.77.0.100"), Dev: "eth0", Held: true, Trouble: "2001:db8::1 answers for it"}},
			HasVIP: true, VIPWhy: words.Reason{Code: words.VIPClaimed, Node: "h1", Text: "02:00:00:00:00:63"},
			Pause:      picture.Pause{By: "h3", For: time.Hour, Left: time.Minute, Text: "new disks"},
			Candidates: []picture.Candidate{{Node: "h1", Place: 1}, {Node: "h2", Out: words.Reason{Code: words.HolderHeard, Node: "h1"}}},
			Recent:     []picture.Noted{{At: started.Add(time.Minute), Ago: 90 * time.Second, Reason: words.Reason{Code: words.Writable, Node: "h1", N: 7, M: 4000}}},
		}},
	}
}

// TestTheJSONIsStable: programs read it, so a name that changes here breaks somebody.
func TestTheJSONIsStable(t *testing.T) {
	got, err := json.MarshalIndent(FromPicture(sample()), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	const golden = "testdata/status.json"
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("(-golden +now; go test -update writes it anew):\n%s", d)
	}
	var back NodeStatus
	if err := json.Unmarshal(got, &back); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(sample(), back.Picture(), compare); d != "" {
		t.Errorf("(-picture +back):\n%s", d)
	}
}

var compare = cmp.Options{
	cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b }),
	cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
}

// TestEveryFieldTravels fails where the picture has a field that the JSON has not.
func TestEveryFieldTravels(t *testing.T) {
	var want picture.Node
	n := 0
	fill(t, reflect.ValueOf(&want).Elem(), &n)
	b, err := json.Marshal(FromPicture(want))
	if err != nil {
		t.Fatal(err)
	}
	var back NodeStatus
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, back.Picture(), compare); d != "" {
		t.Errorf("(-picture +back):\n%s", d)
	}
}

func TestNamesAreSnakeCase(t *testing.T) {
	b, err := os.ReadFile("testdata/status.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)^ *"([^"]*)":`).FindAllSubmatch(b, -1) {
		if !regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`).Match(m[1]) {
			t.Errorf("%q is no snake_case name", m[1])
		}
	}
}

// fill sets v and all in it to values that differ from zero, as a picture may have them.
func fill(t *testing.T, v reflect.Value, n *int) {
	*n++
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(started.Add(time.Duration(*n) * time.Second)))
		return
	case time.Duration:
		v.Set(reflect.ValueOf(time.Duration(*n) * time.Second))
		return
	case netip.Addr:
		v.Set(reflect.ValueOf(netip.AddrFrom4([4]byte{10, 0, 0, byte(*n)})))
		return
	case netip.AddrPort:
		v.Set(reflect.ValueOf(netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(*n)}), uint16(*n))))
		return
	case picture.State:
		v.Set(reflect.ValueOf(picture.StateTakeover))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i), n)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(t, v.Index(0), n)
		fill(t, v.Index(1), n)
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(t, key, n)
		fill(t, value, n)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.String:
		v.SetString("text")
	case reflect.Uint8:
		v.SetUint(1)
	case reflect.Uint16, reflect.Uint64:
		v.SetUint(uint64(*n))
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*n))
	default:
		t.Fatalf("a field of kind %v", v.Kind())
	}
}
