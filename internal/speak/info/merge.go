package info

import (
	"net/netip"
	"strconv"
	"strings"

	"redkeep/internal/words"
)

// noReplID is how a server writes that it continues no other history.
const noReplID = "0000000000000000000000000000000000000000"

// Merge writes what the report says into a server and leaves the rest. The fields of the section "replication" replace
// each other as a whole, since a role's fields are gone in the other role.
func (r Report) Merge(into *words.Server) {
	if id, ok := r.fields["run_id"]; ok {
		into.RunID = words.RunID(id)
	}
	r.mergeVersion(into)
	if n, ok := r.number("uptime_in_seconds"); ok {
		into.Uptime = seconds(n)
	}
	if n, ok := r.number("loading"); ok {
		into.Loading = n != 0
	}
	if mode := r.Process().Mode; mode != "" {
		into.Cluster = mode == "cluster"
	}
	if r.sections["keyspace"] {
		into.Keys = r.keys()
	}
	switch r.fields["role"] {
	case "master":
		r.mergeMaster(into)
	case "slave", "replica":
		r.mergeReplica(into)
	case "active-replica": // of KeyDB; one without a master calls itself a master
		r.mergeReplica(into)
		into.Active = true
	}
}

// mergeVersion prefers Valkey's own number to the version of Redis that it stands in for.
func (r Report) mergeVersion(into *words.Server) {
	if v, ok := r.fields["redis_version"]; ok {
		into.Version = v
	}
	if v, ok := r.fields["valkey_version"]; ok {
		into.Version = "valkey " + v
	}
}

// mergePosition takes the history. A server before 4.0 has none, and its offset stands alone.
func (r Report) mergePosition(into *words.Server, offset int64) {
	into.Position = words.Position{
		ReplID: words.ReplID(r.fields["master_replid"]),
		Offset: words.Offset(offset),
		Second: -1,
	}
	if id := r.fields["master_replid2"]; id != noReplID {
		into.ReplID2 = words.ReplID(id)
	}
	if n, ok := r.number("second_repl_offset"); ok {
		into.Second = words.Offset(n)
	}
}

func (r Report) mergeMaster(into *words.Server) {
	into.Role = words.RoleMaster
	into.Master, into.MasterPort = "", 0
	into.LinkUp, into.Syncing = false, false
	offset, _ := r.number("master_repl_offset")
	r.mergePosition(into, offset)
	into.Replicas = r.replicas()
}

// mergeReplica takes as offset what the replica has applied: slave_repl_offset. Its master_repl_offset counts what it
// has passed on to replicas of its own, and stands for the former only where that is missing.
func (r Report) mergeReplica(into *words.Server) {
	into.Role = words.RoleReplica
	into.Master = r.fields["master_host"]
	into.MasterPort = port(r.fields["master_port"])
	into.LinkUp = r.fields["master_link_status"] == "up"
	syncing, _ := r.number("master_sync_in_progress")
	into.Syncing = syncing != 0
	offset, _ := r.number("replica_repl_offset", "slave_repl_offset", "master_repl_offset")
	r.mergePosition(into, offset)
	if n, ok := r.number("replica_priority", "slave_priority"); ok {
		into.Priority = int(n)
	}
	if n, ok := r.number("replica_read_only", "slave_read_only"); ok {
		into.ReadOnly = n != 0
	}
	into.Replicas = r.replicas()
}

// keys sums the databases of the section "keyspace": db0:keys=5,expires=0,avg_ttl=0.
func (r Report) keys() int64 {
	var sum int64
	for name, value := range r.fields {
		number, ok := strings.CutPrefix(name, "db")
		if !ok {
			continue
		}
		if _, err := strconv.ParseUint(number, 10, 32); err != nil {
			continue
		}
		if n, err := strconv.ParseInt(item(value, "keys"), 10, 64); err == nil && 0 < n && n < 1<<48 {
			sum += n
		}
	}
	return sum
}

// replicas reads the lines slave0, slave1, ... that a server with replicas has, in their order.
func (r Report) replicas() []words.Replica {
	var out []words.Replica
	for i := 0; ; i++ {
		line, ok := r.fields["slave"+strconv.Itoa(i)]
		if !ok {
			if line, ok = r.fields["replica"+strconv.Itoa(i)]; !ok {
				return out
			}
		}
		out = append(out, replica(line))
	}
}

// replica reads one such line: ip=10.0.0.2,port=6379,state=online,offset=42,lag=0. A replica that announces a name and
// no address has an invalid Addr. Before 2.8 the line was 10.0.0.2,6379,online.
func replica(line string) words.Replica {
	host, at, state := item(line, "ip"), item(line, "port"), item(line, "state")
	if old := strings.Split(line, ","); len(old) == 3 && !strings.Contains(line, "=") {
		host, at, state = old[0], old[1], old[2]
	}
	offset, _ := strconv.ParseInt(item(line, "offset"), 10, 64)
	out := words.Replica{Offset: words.Offset(offset), Online: state == "online"}
	if addr, err := netip.ParseAddr(host); err == nil {
		out.Addr = netip.AddrPortFrom(addr, port(at))
	}
	return out
}

// item returns the value of key in a list such as a=1,b=2; "" when it is not there.
func item(list, key string) string {
	for part := range strings.SplitSeq(list, ",") {
		if name, value, ok := strings.Cut(part, "="); ok && name == key {
			return value
		}
	}
	return ""
}
