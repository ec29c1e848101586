package peermsg

import (
	"bytes"
	"encoding/hex"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"math"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"redkeep/internal/decide"
	"redkeep/internal/words"
)

// closedSet has a zero value of every message, in the order of forms.
var closedSet = []decide.Message{
	decide.Beat{}, decide.Grant{}, decide.Refuse{}, decide.Status{}, decide.PreVote{}, decide.PreVoted{}, decide.Vote{},
	decide.Voted{}, decide.Release{}, decide.ReleaseSeen{}, decide.Readmit{}, decide.Readmitted{}, decide.Prepare{},
	decide.Prepared{}, decide.Level{}, decide.Leveled{}, decide.Choose{}, decide.Propose{}, decide.Accepted{}, decide.Depart{},
	decide.Pausing{},
}

var compareAddr = cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })

// TestEveryMessageHasAForm holds the forms against the source of the closed set: a message added there fails here.
func TestEveryMessageHasAForm(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../../decide/message.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	declared := map[string]bool{}
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Name.Name == "message" {
			declared[f.Recv.List[0].Type.(*ast.Ident).Name] = true
		}
	}
	if len(declared) != len(forms)-1 {
		t.Errorf("%d messages are declared, %d have a form", len(declared), len(forms)-1)
	}
	for i, m := range closedSet {
		name := reflect.TypeOf(m).Name()
		if !declared[name] {
			t.Errorf("%s is not declared", name)
		}
		b := Append(nil, "g", m)
		if len(b) < 2 || int(b[1]) != i+1 {
			t.Errorf("%s: encoded as % x, want type %d", name, b, i+1)
		}
		if _, got, err := Parse(b); err != nil || !reflect.DeepEqual(got, m) {
			t.Errorf("%s: parsed as %#v, %v", name, got, err)
		}
	}
}

// TestEveryFieldTravels sets each field of each message, at any depth, to something of its own.
func TestEveryFieldTravels(t *testing.T) {
	for _, m := range closedSet {
		filled := reflect.New(reflect.TypeOf(m)).Elem()
		n := 0
		fill(t, filled, &n)
		want := filled.Interface().(decide.Message)
		g, got, err := Parse(Append(nil, "orders", want))
		if err != nil || g != "orders" {
			t.Fatalf("%T: %q, %v", m, g, err)
		}
		if d := cmp.Diff(want, got, compareAddr); d != "" {
			t.Errorf("%T (-sent +parsed):\n%s", m, d)
		}
	}
}

// fill sets v and all in it to values that differ from zero and mostly from each other.
func fill(t testing.TB, v reflect.Value, n *int) {
	*n++
	switch v.Interface().(type) {
	case netip.AddrPort:
		v.Set(reflect.ValueOf(netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(*n)}), uint16(*n))))
		return
	case words.RunID, words.ReplID:
		v.SetString(hexID(*n))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i), n)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(t, v.Index(0), n)
		fill(t, v.Index(1), n)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.String:
		v.SetString("s" + hexID(*n)[36:])
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(-1000 * *n))
	case reflect.Uint8:
		v.SetUint(1)
	case reflect.Uint16, reflect.Uint64:
		v.SetUint(uint64(200 * *n % 65536))
	default:
		t.Fatalf("a field of kind %v", v.Kind())
	}
}

func hexID(n int) string {
	raw := bytes.Repeat([]byte{byte(n)}, idSize)
	raw[0], raw[18], raw[19] = 0xab, byte(n>>8), byte(n)
	return hex.EncodeToString(raw)
}

func TestStatusAndVoteFitADatagram(t *testing.T) {
	nodes := []words.Node{"redis-eu-west-1a.internal", "redis-eu-west-1b.internal", "redis-eu-west-1c.internal"}
	wide := words.Position{ReplID: words.ReplID(hexID(1)), Offset: math.MaxInt64, ReplID2: words.ReplID(hexID(2)), Second: math.MaxInt64}
	var rows []words.Row
	for i := range 4 {
		rows = append(rows, words.Row{
			Epoch: math.MaxUint32, Holder: nodes[i%3], RunID: words.RunID(hexID(20 + i)), ReplID: words.ReplID(hexID(30 + i)), From: math.MaxInt64,
		})
	}
	reason := words.Reason{
		Code: words.WaitsForServers, Node: nodes[0], Other: nodes[1], N: math.MinInt64, M: math.MinInt64, Text: strings.Repeat("t", MaxText),
	}
	claim := decide.Claim{
		Server: words.Server{
			RunID: words.RunID(hexID(3)), Role: words.RoleReplica, Position: wide, Keys: math.MaxInt64, Master: "10.77.200.111",
			MasterPort: 65535, LinkUp: true, Syncing: true, Loading: true, ReadOnly: true, BornFenced: true, Priority: 1 << 30,
			Replicas: []words.Replica{{Addr: netip.MustParseAddrPort("[2001:db8::1]:65535"), Offset: math.MaxInt64}, {Addr: netip.MustParseAddrPort("[2001:db8::2]:65535"), Offset: math.MaxInt64}},
			Version:  "7.0.15-debian", Uptime: math.MaxInt64,
		},
		Recorded: words.Record{Epoch: math.MaxUint32, Role: words.RoleMaster, Position: wide, RunID: words.RunID(hexID(4)), Keys: math.MaxInt64},
		Unfit:    reason, Sealed: math.MaxUint32,
	}
	status := decide.Status{
		Seen: math.MaxUint32, Generation: math.MaxUint32, Digest: math.MaxUint64, Holder: nodes[2], Granted: math.MaxUint32,
		GrantLeft: math.MaxInt64, Claim: &claim, Rows: rows, Fence: words.FenceHard, Gate: decide.GateReplication,
		Stamp: math.MaxInt64, Echo: math.MaxInt64, Held: math.MaxInt64, Version: "1.2.3-rc1",
		Pause: words.Pause{Count: math.MaxUint32, By: nodes[0], For: words.LongestPause, Left: words.LongestPause, Text: strings.Repeat("p", MaxText)}, Settings: math.MaxUint64,
	}
	release := decide.Release{
		Epoch: math.MaxUint32, Holder: nodes[0], Session: math.MaxUint32, Seq: math.MaxUint32,
		Reason: words.Reason{Code: words.PromotionLate, Node: nodes[0], N: math.MaxInt64}, Successor: nodes[1], Offset: math.MaxInt64, Unfit: true,
	}
	vote := decide.Vote{
		Epoch: math.MaxUint32, Seq: math.MaxUint32, Lease: time.Minute, Generation: math.MaxUint32, Claim: claim, Rows: rows,
		Releases: []decide.Release{release, release, release}, Reclaim: true, Basis: decide.BasisChosen,
	}
	for _, m := range []decide.Message{status, vote} {
		size := len(Append(nil, words.Group(strings.Repeat("g", MaxName)), m))
		t.Logf("%T: %d bytes", m, size)
		if size > 1000 {
			t.Errorf("%T takes %d bytes, a datagram has room for 1000", m, size)
		}
	}
}

func TestWhatOnlyInformsIsCut(t *testing.T) {
	long := strings.Repeat("x", MaxText-1) + "é"
	var rows []words.Row
	for i := range MaxRows + 3 {
		rows = append(rows, words.Row{Epoch: words.Epoch(i + 1)})
	}
	sent := decide.Status{Version: long, Rows: rows, Claim: &decide.Claim{Server: words.Server{Replicas: make([]words.Replica, MaxReplicas+1)}}}
	_, m, err := Parse(Append(nil, "g", sent))
	if err != nil {
		t.Fatal(err)
	}
	got := m.(decide.Status)
	if got.Version != long[:MaxText-1] {
		t.Errorf("version %q: a letter was cut in two", got.Version)
	}
	if len(got.Rows) != MaxRows || got.Rows[MaxRows-1].Epoch != MaxRows+3 {
		t.Errorf("rows %v: not the newest", got.Rows)
	}
	if len(got.Claim.Server.Replicas) != MaxReplicas {
		t.Errorf("%d replicas", len(got.Claim.Server.Replicas))
	}
	if len(sent.Rows) != MaxRows+3 || len(sent.Claim.Server.Replicas) != MaxReplicas+1 || sent.Version != long {
		t.Error("the sender's own value was changed")
	}
}

func TestWhatCantBeToldIsNotSent(t *testing.T) {
	dst := []byte("before")
	for name, m := range map[string]decide.Message{
		"ten voters":    decide.Propose{Members: make([]words.Node, MaxMembers+1)},
		"a long name":   decide.Choose{Master: words.Node(strings.Repeat("n", MaxName+1))},
		"a long ID":     decide.Beat{RunID: words.RunID(strings.Repeat("i", MaxID+1))},
		"a strange set": decide.Status{Gate: decide.GateReplication + 1},
		"nothing":       nil,
	} {
		if got := Append(dst, "g", m); string(got) != "before" {
			t.Errorf("%s: appended % x", name, got[len(dst):])
		}
	}
}

func TestParseRefuses(t *testing.T) {
	beat := Append(nil, "g", decide.Beat{Epoch: 1, RunID: words.RunID(hexID(1)), InSync: []words.Node{"a", "b"}})
	const added = 8 // the digest of the list, which an older release does not send
	for n := range beat {
		if n == len(beat)-added {
			continue
		}
		if _, _, err := Parse(beat[:n]); !errors.Is(err, ErrMalformed) {
			t.Errorf("cut to %d bytes: %v", n, err)
		}
	}
	for name, c := range map[string]struct {
		bytes []byte
		want  error
	}{
		"version":      {[]byte{Version + 1, 1, 0}, ErrVersion},
		"type 0":       {[]byte{Version, 0, 0}, ErrType},
		"type unknown": {[]byte{Version, byte(len(forms)), 0}, ErrType},
		"long group":   {append([]byte{Version, 2, MaxName + 1}, make([]byte, 200)...), ErrMalformed},
		"name refers":  {[]byte{Version, 17, 0, 2, 0}, ErrMalformed},
		"huge ref":     {append([]byte{Version, 17, 0}, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0), ErrMalformed},
		"ten members":  {append([]byte{Version, 18, 0, 1, 1, MaxMembers + 1}, make([]byte, 20)...), ErrMalformed},
		"flag unknown": {[]byte{Version, 20, 0, 4}, ErrMalformed},
	} {
		if _, _, err := Parse(c.bytes); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// TestALaterFieldIsLeftUnread keeps the door open that Version's comment names.
func TestALaterFieldIsLeftUnread(t *testing.T) {
	want := decide.Prepare{Round: 3, Epoch: 4}
	_, got, err := Parse(append(Append(nil, "g", want), 1, 2, 3))
	if err != nil || got != want {
		t.Errorf("%v, %v", got, err)
	}
}

// TestAnOlderReleaseSendsLess: what was added at a message's end may be missing.
func TestAnOlderReleaseSendsLess(t *testing.T) {
	const pause, settings, list, settled = 5, 8, 8, 1 // bytes of the zero ones
	for _, c := range []struct {
		want  decide.Message
		added []int
	}{
		{decide.Status{Seen: 4, Version: "0.1.0"}, []int{list, settings, pause}},
		{decide.Beat{Epoch: 4, Seq: 7}, []int{list}},
		{decide.Status{Seen: 4, Claim: &decide.Claim{Sealed: 3}}, []int{settled, list, settings, pause}},
		{decide.PreVote{Round: 9}, []int{settled}},
		{decide.PreVoted{Round: 9, Claim: &decide.Claim{Sealed: 3}}, []int{settled}},
		{decide.Vote{Epoch: 4, Seq: 7}, []int{settled, list}},
		{decide.Readmitted{Nonce: 5, LMax: time.Second}, []int{pause}},
	} {
		b := Append(nil, "g", c.want)
		for _, n := range c.added {
			b = b[:len(b)-n]
			if _, got, err := Parse(b); err != nil || !reflect.DeepEqual(got, c.want) {
				t.Errorf("without %d bytes: %#v, %v", n, got, err)
			}
		}
	}
}

// TestBytesStayAsTheyAre pins the format, since two releases must understand each other.
func TestBytesStayAsTheyAre(t *testing.T) {
	id := words.RunID(hexID(1))
	for name, c := range map[string]struct {
		message decide.Message
		want    string
	}{
		"grant": {decide.Grant{Epoch: 7, Session: 3, Seq: 300, Lease: time.Second}, "0102066f72646572730703ac0280a8d6b907"},
		"beat": {
			decide.Beat{
				Epoch: 7, Seq: 1, Lease: time.Second, Generation: 1, RunID: id, Position: words.Position{ReplID: words.ReplID(id), Second: -1},
				InSync: []words.Node{"h2"}, Row: words.Row{Epoch: 7, Holder: "h2"},
				List: 0x1122334455667788,
			},
			"0101066f7264657273070180a8d6b9070101" + string(id) + "03000001000101026832070200000000" + "1122334455667788",
		},
	} {
		if got := hex.EncodeToString(Append(nil, "orders", c.message)); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// drawn is a message with any values that are within the bounds.
func drawn(t *rapid.T) decide.Message {
	v := reflect.New(reflect.TypeOf(rapid.SampledFrom(closedSet).Draw(t, "type"))).Elem()
	draw(t, v)
	return v.Interface().(decide.Message)
}

func draw(t *rapid.T, v reflect.Value) {
	switch v.Interface().(type) {
	case netip.AddrPort:
		b := rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "ip")
		if rapid.Bool().Draw(t, "v6") {
			b = rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "ip6")
		}
		a, _ := netip.AddrFromSlice(b)
		v.Set(reflect.ValueOf(netip.AddrPortFrom(a, rapid.Uint16().Draw(t, "port"))))
		return
	case words.RunID, words.ReplID:
		v.SetString(rapid.SampledFrom([]string{"", hexID(1), hexID(2), strings.ToUpper(hexID(1)), "short", strings.Repeat("0", MaxID)}).Draw(t, "id"))
		return
	case words.Role, words.Fence, decide.Basis:
		v.SetUint(rapid.Uint64Range(0, 2).Draw(t, "enum"))
		return
	case decide.GateMode:
		v.SetUint(rapid.Uint64Range(0, 4).Draw(t, "mode"))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			draw(t, v.Field(i))
		}
		if r, ok := v.Interface().(words.Reason); ok && r.Zero() {
			v.SetZero()
		}
	case reflect.Pointer:
		if rapid.Bool().Draw(t, "there") {
			v.Set(reflect.New(v.Type().Elem()))
			draw(t, v.Elem())
		}
	case reflect.Slice:
		if n := rapid.IntRange(0, 8).Draw(t, "n"); n > 0 {
			v.Set(reflect.MakeSlice(v.Type(), n, n))
			for i := range n {
				draw(t, v.Index(i))
			}
		}
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, "bool"))
	case reflect.String:
		v.SetString(rapid.StringN(0, 12, MaxName).Draw(t, "text"))
	case reflect.Int, reflect.Int64:
		v.SetInt(rapid.Int64().Draw(t, "int"))
	case reflect.Uint16:
		v.SetUint(uint64(rapid.Uint16().Draw(t, "uint16")))
	default:
		v.SetUint(rapid.Uint64().Draw(t, "uint"))
	}
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := drawn(t)
		g, got, err := Parse(Append([]byte{}, "orders", want))
		if err != nil || g != "orders" {
			t.Fatalf("%q, %v", g, err)
		}
		if d := cmp.Diff(want, got, compareAddr); d != "" {
			t.Fatalf("(-sent +parsed):\n%s", d)
		}
	})
}

// FuzzParse: whatever parses can be told again, and means the same.
func FuzzParse(f *testing.F) {
	for _, m := range closedSet {
		filled := reflect.New(reflect.TypeOf(m)).Elem()
		n := 0
		fill(f, filled, &n)
		f.Add(Append(nil, "orders", filled.Interface().(decide.Message)))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		g, m, err := Parse(b)
		if err != nil {
			return
		}
		again := Append(nil, g, m)
		g2, m2, err := Parse(again)
		if err != nil || g2 != g {
			t.Fatalf("%q parsed, but %q, %v the second time", g, g2, err)
		}
		if d := cmp.Diff(m, m2, compareAddr); d != "" {
			t.Fatalf("(-first +second):\n%s", d)
		}
	})
}
