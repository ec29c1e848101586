package record

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"redkeep/internal/words"
)

const hex40 = "0123456789abcdef0123456789abcdef01234567"

var full = words.Register{
	Admitted: true, Generation: 3, Members: []words.Node{"h1", "h2", "h3"}, PendingGen: 4, Pending: []words.Node{"h1", "h2", "h4"},
	Vote: words.Ballot{Epoch: 7, Holder: "h1", RunID: hex40}, Seen: math.MaxUint64, LMax: time.Second,
	Rows:   []words.Row{{Epoch: 6, Holder: "h2", RunID: hex40, ReplID: hex40, From: math.MaxInt64}},
	Record: words.Record{Epoch: 6, Role: words.RoleReplica, Position: words.Position{ReplID: hex40, Offset: 9, ReplID2: hex40, Second: -1}, RunID: hex40, Keys: -1},
	Data:   []words.Node{"h1"}, InSync: []words.Node{"h1"}, InSyncEpoch: 6, Reach: 77, ReachKeys: 8, Promised: 3, Left: true,
	Pause: words.Pause{Count: 2, By: "h3", For: time.Hour, Left: time.Minute, Text: "new disks"}, BootID: "b",
}

// TestTheFormat pins the names: what one release wrote the next one reads.
func TestTheFormat(t *testing.T) {
	want := strings.ReplaceAll(`{"version":1,"admitted":true,"generation":3,"members":["h1","h2","h3"],"pending_generation":4,`+
		`"pending":["h1","h2","h4"],"vote":{"epoch":7,"holder":"h1","run_id":"ID"},"seen_epoch":18446744073709551615,`+
		`"longest_lease_ns":1000000000,"lineage":[{"epoch":6,"holder":"h2","run_id":"ID","replid":"ID","from_offset":9223372036854775807}],`+
		`"own_server":{"epoch":6,"role":"replica","replid":"ID","offset":9,"replid2":"ID","second_offset":-1,"run_id":"ID","keys":-1},`+
		`"data":["h1"],"in_sync":["h1"],"in_sync_epoch":6,"reach_offset":77,"reach_keys":8,"promised":3,"left":true,`+
		`"pause":{"count":2,"by":"h3","for_ns":3600000000000,"left_ns":60000000000,"text":"new disks"},"boot_id":"b"}`, "ID", hex40)
	if got := string(Append(nil, full)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestFullIsFull keeps the value above honest: a new field of the register must be in it.
func TestFullIsFull(t *testing.T) {
	v := reflect.ValueOf(full)
	for i := range v.NumField() {
		if v.Field(i).IsZero() {
			t.Errorf("%s is not set", v.Type().Field(i).Name)
		}
	}
}

func TestEachFieldComesBack(t *testing.T) {
	v := reflect.ValueOf(full)
	for i := range v.NumField() {
		alone := words.Register{}
		reflect.ValueOf(&alone).Elem().Field(i).Set(v.Field(i))
		if got, err := Parse(Append(nil, alone)); err != nil || !reflect.DeepEqual(got, alone) {
			t.Errorf("%s: %+v, %v", v.Type().Field(i).Name, got, err)
		}
	}
	if got, err := Parse(Append(nil, full)); err != nil || !reflect.DeepEqual(got, full) {
		t.Errorf("all: %v, %s", err, cmp.Diff(full, got))
	}
}

func TestParseRefuses(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"nothing":     {``, "parse register"},
		"half":        {`{"version":1,"admitted":tr`, "parse register"},
		"no version":  {`{}`, "format 0"},
		"later":       {`{"version":2}`, "format 2, this release reads 1; start the release that wrote it"},
		"role":        {`{"version":1,"own_server":{"role":"king"}}`, `"king" is no role`},
		"two objects": {`{"version":1}{"version":1}`, "parse register"},
	} {
		_, err := Parse([]byte(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if _, err := Parse([]byte(`{"version":9}`)); !errors.Is(err, ErrVersion) {
		t.Errorf("no ErrVersion: %v", err)
	}
}

func TestALaterFieldIsOverlooked(t *testing.T) {
	if r, err := Parse([]byte(`{"version":1,"seen_epoch":5,"mood":"good"}`)); err != nil || r.Seen != 5 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestRoundTrip(t *testing.T) {
	nodes := rapid.Custom(func(t *rapid.T) []words.Node {
		var out []words.Node
		for range rapid.IntRange(0, 7).Draw(t, "n") {
			out = append(out, words.Node(rapid.StringMatching(`[a-z][a-z0-9-]{0,62}`).Draw(t, "node")))
		}
		return out
	})
	rapid.Check(t, func(t *rapid.T) {
		want := words.Register{
			Admitted: rapid.Bool().Draw(t, "admitted"), Generation: rapid.Uint64().Draw(t, "generation"), Members: nodes.Draw(t, "members"),
			Pending: nodes.Draw(t, "pending"), Seen: words.Epoch(rapid.Uint64().Draw(t, "seen")), LMax: time.Duration(rapid.Int64().Draw(t, "lmax")),
			Vote:   words.Ballot{Epoch: words.Epoch(rapid.Uint64().Draw(t, "vote")), Holder: words.Node(rapid.String().Draw(t, "holder"))},
			Record: words.Record{Role: words.Role(rapid.IntRange(0, 2).Draw(t, "role")), Keys: rapid.Int64().Draw(t, "keys")},
		}
		got, err := Parse(Append(nil, want))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%v\n%s", err, cmp.Diff(want, got))
		}
	})
}

// FuzzParse: whatever parses is written and read again as the same.
func FuzzParse(f *testing.F) {
	f.Add(Append(nil, full))
	f.Add(Append(nil, words.Register{}))
	f.Add([]byte(`{"version":1,"lineage":[{}],"vote":{},"own_server":{"role":"unknown"}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		first, err := Parse(b)
		if err != nil {
			return
		}
		text := Append(nil, first)
		if !json.Valid(text) {
			t.Fatalf("not JSON: %q", text)
		}
		second, err := Parse(text)
		if err != nil || !reflect.DeepEqual(first, second) {
			t.Fatalf("%v\n%s", err, cmp.Diff(first, second))
		}
	})
}
