package info

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseWatch(t *testing.T) {
	got := ParseWatch(master7)
	want := Watch{
		RunID: "bde8372e02efbe59cf548a612e1654d8ca03f485", Role: "master", Priority: 100, Announced: true,
		Replicas: []Listed{{"10.77.0.12", 6379}, {"fd00::3", 6380}}, HandsOver: true,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	got = ParseWatch("role:slave\nmaster_host:db.example\nmaster_port:6380\nmaster_link_status:down\nmaster_link_down_since_seconds:12\n" +
		"slave_repl_offset:77\nslave_priority:0\nreplica_announced:0\nslave_read_only:1\nslave0:10.0.0.9,6379,online\n")
	want = Watch{
		Role: "slave", MasterHost: "db.example", MasterPort: 6380, LinkDown: 12 * time.Second, Offset: 77,
		Replicas: []Listed{{"10.0.0.9", 6379}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(Watch{Priority: 100, Announced: true}, ParseWatch("slave:\nslave0:\nslave1:ip=,port=1\nrole\n:\n")); d != "" {
		t.Error(d)
	}
}

func BenchmarkParseWatch(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		ParseWatch(master7 + replica7)
	}
}
