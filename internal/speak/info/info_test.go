package info

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"redkeep/internal/words"
)

var addrs = cmpopts.EquateComparable(netip.AddrPort{})

// Answers as servers gave them; the fields that nobody reads are left out.
const (
	master7 = "# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\nprocess_id:10785\r\nprocess_supervised:systemd\r\n" +
		"run_id:bde8372e02efbe59cf548a612e1654d8ca03f485\r\ntcp_port:6379\r\nuptime_in_seconds:71\r\n" +
		"executable:/usr/bin/redis-server\r\nconfig_file:/etc/redis/redis.conf\r\n\r\n" +
		"# Persistence\r\nloading:0\r\nasync_loading:0\r\n\r\n# Replication\r\nrole:master\r\nconnected_slaves:2\r\n" +
		"slave0:ip=10.77.0.12,port=6379,state=online,offset=1400,lag=0\r\n" +
		"slave1:ip=fd00::3,port=6380,state=wait_bgsave,offset=0,lag=0\r\n" +
		"master_failover_state:no-failover\r\nmaster_replid:a0b050230930eac99a0f786b8555bb34a97bd066\r\n" +
		"master_replid2:0000000000000000000000000000000000000000\r\nmaster_repl_offset:1414\r\nsecond_repl_offset:-1\r\n\r\n" +
		"# Keyspace\r\ndb0:keys=5,expires=0,avg_ttl=0\r\ndb3:keys=7,expires=1,avg_ttl=9,subexpiry=0\r\n"
	replica7 = "# Replication\r\nrole:slave\r\nmaster_host:10.77.0.11\r\nmaster_port:6379\r\nmaster_link_status:up\r\n" +
		"master_last_io_seconds_ago:0\r\nmaster_sync_in_progress:0\r\nslave_read_repl_offset:1500\r\nslave_repl_offset:1414\r\n" +
		"slave_priority:90\r\nslave_read_only:1\r\nreplica_announced:1\r\nconnected_slaves:0\r\n" +
		"master_replid:a0b050230930eac99a0f786b8555bb34a97bd066\r\nmaster_replid2:bbbb050230930eac99a0f786b8555bb34a97bd06\r\n" +
		"master_repl_offset:1400\r\nsecond_repl_offset:1001\r\n"
	syncing28 = "# Replication\nrole:slave\nmaster_host:db.example\nmaster_port:6379\nmaster_link_status:down\n" +
		"master_sync_in_progress:1\nslave_repl_offset:1\nslave_priority:100\nslave_read_only:0\nconnected_slaves:0\nmaster_repl_offset:0\n"
)

func TestMergeOfAMaster(t *testing.T) {
	got := Unknown()
	Parse(master7).Merge(&got)
	want := words.Server{
		RunID: "bde8372e02efbe59cf548a612e1654d8ca03f485", Role: words.RoleMaster,
		Position: words.Position{ReplID: "a0b050230930eac99a0f786b8555bb34a97bd066", Offset: 1414, Second: -1},
		Keys:     12, Priority: 100, ReadOnly: true, Version: "7.0.15", Uptime: 71 * time.Second,
		Replicas: []words.Replica{
			{Addr: netip.MustParseAddrPort("10.77.0.12:6379"), Offset: 1400, Online: true},
			{Addr: netip.MustParseAddrPort("[fd00::3]:6380")},
		},
	}
	if d := cmp.Diff(want, got, addrs); d != "" {
		t.Error(d)
	}
}

func TestMergeOfSectionsApart(t *testing.T) {
	got := Unknown()
	Parse(master7).Merge(&got)
	Parse(replica7).Merge(&got)
	want := words.Server{
		RunID: "bde8372e02efbe59cf548a612e1654d8ca03f485", Role: words.RoleReplica,
		Position: words.Position{
			ReplID: "a0b050230930eac99a0f786b8555bb34a97bd066", Offset: 1414,
			ReplID2: "bbbb050230930eac99a0f786b8555bb34a97bd06", Second: 1001,
		},
		Keys: 12, Master: "10.77.0.11", MasterPort: 6379, LinkUp: true, Priority: 90, ReadOnly: true,
		Version: "7.0.15", Uptime: 71 * time.Second,
	}
	if d := cmp.Diff(want, got, addrs); d != "" {
		t.Error(d)
	}
	Parse("# Persistence\r\nloading:1\r\n# Keyspace\r\n").Merge(&got)
	if !got.Loading || got.Keys != 0 || got.Role != words.RoleReplica {
		t.Errorf("after an empty keyspace while loading: %+v", got)
	}
}

func TestMergeOfAnOldReplicaAndOfValkey(t *testing.T) {
	got := Unknown()
	Parse(syncing28).Merge(&got)
	want := words.Server{
		Role: words.RoleReplica, Position: words.Position{Offset: 1, Second: -1}, Keys: -1,
		Master: "db.example", MasterPort: 6379, Syncing: true, Priority: 100,
	}
	if d := cmp.Diff(want, got, addrs); d != "" {
		t.Error(d)
	}
	Parse("redis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.1.0\r\n").Merge(&got)
	if got.Version != "valkey 8.1.0" {
		t.Errorf("version %q", got.Version)
	}
	if r := replica("10.0.0.2,6379,online"); r.Addr.String() != "10.0.0.2:6379" || !r.Online {
		t.Errorf("line of 2.6: %+v", r)
	}
	if r := replica("ip=db2.example,port=6379,state=online,offset=3,lag=0"); r.Addr.IsValid() || r.Offset != 3 {
		t.Errorf("line with a name: %+v", r)
	}
}

func TestProcess(t *testing.T) {
	want := Process{PID: 10785, Uptime: 71 * time.Second, Executable: "/usr/bin/redis-server",
		ConfigFile: "/etc/redis/redis.conf", Port: 6379, Mode: "standalone"}
	if d := cmp.Diff(want, Parse(master7).Process()); d != "" {
		t.Error(d)
	}
	if p := Parse("process_id:-4\r\nuptime_in_seconds:99999999999999\r\ntcp_port:70000").Process(); p != (Process{}) {
		t.Errorf("nonsense: %+v", p)
	}
}

func TestModesThatAreNotKept(t *testing.T) {
	for text, want := range map[string]words.Code{
		"redis_mode:cluster":                           words.ServerCluster,
		"redis_mode:standalone":                        "",
		"redis_mode:standalone\r\nserver_mode:cluster": words.ServerCluster,
		"role:active-replica\r\nmaster_host:10.0.0.1":  words.ServerActive,
		"role:slave\r\nmaster_host:10.0.0.1":           "",
	} {
		s := Unknown()
		Parse(text).Merge(&s)
		if got := s.Unkept(); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
		Parse("role:master").Merge(&s)
		if got := s.Unkept(); got != want {
			t.Errorf("%q and then another section: %q, want %q", text, got, want)
		}
	}
}

func TestPersistence(t *testing.T) {
	const fine = "rdb_last_bgsave_status:ok\r\naof_enabled:1\r\naof_last_write_status:ok\r\n"
	for text, want := range map[string]Persistence{
		fine: {},
		strings.Replace(fine, "bgsave_status:ok", "bgsave_status:err", 1):                                  {SaveFailed: true},
		strings.Replace(fine, "write_status:ok", "write_status:err", 1):                                    {AppendFailed: true},
		strings.NewReplacer("write_status:ok", "write_status:err", "enabled:1", "enabled:0").Replace(fine): {},
	} {
		if got, ok := Parse(text).Persistence(); got != want || !ok {
			t.Errorf("%q: %+v, %v", text, got, ok)
		}
	}
	if _, ok := Parse(replica7).Persistence(); ok {
		t.Error("found in another section")
	}
}

func TestMergeRole(t *testing.T) {
	s := Unknown()
	if err := MergeRole([]string{"slave", "10.0.0.1", "6379", "connected", "77"}, &s); err != nil {
		t.Fatal(err)
	}
	if s.Role != words.RoleReplica || s.Master != "10.0.0.1" || s.MasterPort != 6379 || !s.LinkUp || s.Offset != 77 {
		t.Errorf("%+v", s)
	}
	if err := MergeRole([]string{"master", "78", ""}, &s); err != nil {
		t.Fatal(err)
	}
	if s.Role != words.RoleMaster || s.Master != "" || s.LinkUp || s.Offset != 78 {
		t.Errorf("%+v", s)
	}
	for _, bad := range [][]string{nil, {"master"}, {"sentinel", ""}, {"master", "x"}, {"slave", "h", "x", "sync", "1"}, {"slave", "h", "1", "sync", ""}} {
		was := s.Offset
		if err := MergeRole(bad, &s); err == nil || s.Offset != was {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// FuzzMerge checks that any text leaves a server that, written the way a server writes itself, is read as the same.
func FuzzMerge(f *testing.F) {
	for _, seed := range []string{master7, replica7, syncing28, "# Keyspace\ndb0:keys=99999999999999999999"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		first := Unknown()
		Parse(text).Merge(&first)
		if first.Keys < -1 {
			t.Fatalf("%d keys", first.Keys)
		}
		if first.Role == words.RoleUnknown || strings.HasPrefix(first.Version, "valkey ") {
			return
		}
		again := Unknown()
		Parse(written(first)).Merge(&again)
		if d := cmp.Diff(first, again, addrs); d != "" {
			t.Fatal(d)
		}
	})
}

// written prints a server as INFO would.
func written(s words.Server) string {
	var b strings.Builder
	put := func(name string, value any) { fmt.Fprintf(&b, "%s:%v\r\n", name, value) }
	flag := map[bool]int{true: 1}
	put("run_id", s.RunID)
	put("redis_version", s.Version)
	put("uptime_in_seconds", int64(s.Uptime/time.Second))
	put("loading", flag[s.Loading])
	if s.Role == words.RoleMaster {
		put("role", "master")
		put("master_repl_offset", int64(s.Offset))
	} else {
		put("role", "slave")
		put("master_host", s.Master)
		put("master_port", s.MasterPort)
		put("master_link_status", map[bool]string{true: "up", false: "down"}[s.LinkUp])
		put("master_sync_in_progress", flag[s.Syncing])
		put("slave_repl_offset", int64(s.Offset))
		put("slave_priority", s.Priority)
		put("slave_read_only", flag[s.ReadOnly])
	}
	put("master_replid", s.ReplID)
	put("master_replid2", s.ReplID2)
	put("second_repl_offset", int64(s.Second))
	for i, r := range s.Replicas {
		state := map[bool]string{true: "online", false: "send_bulk"}[r.Online]
		if !r.Addr.IsValid() {
			fmt.Fprintf(&b, "slave%d:state=%s,offset=%d\r\n", i, state, int64(r.Offset))
			continue
		}
		fmt.Fprintf(&b, "slave%d:ip=%s,port=%d,state=%s,offset=%d\r\n", i, r.Addr.Addr(), r.Addr.Port(), state, int64(r.Offset))
	}
	if s.Keys >= 0 {
		fmt.Fprintf(&b, "# Keyspace\r\ndb0:keys=%d\r\n", s.Keys)
	}
	return b.String()
}
