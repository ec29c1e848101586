package rank

import (
	"testing"

	"redkeep/internal/decide"
	"redkeep/internal/words"
)

func fit(id words.ReplID, offset words.Offset, priority int) decide.Claim {
	return decide.Claim{Fit: true, Server: words.Server{RunID: "r", Position: at(id, offset), Priority: priority}}
}

func TestOrder(t *testing.T) {
	sick := fit("z", 9999, 1)
	sick.Fit, sick.Unfit = false, words.Reason{Code: words.ServerLoading}
	claims := map[words.Node]decide.Claim{
		"a": fit("z", 2000, 100), "b": fit("z", 2100, 100), "c": fit("z", 2000, 10), "d": sick, "f": fit("q", 9999, 1), "g": fit("z", 2000, 100),
	}
	list := Order([]words.Node{"a", "b", "c", "d", "e", "f", "g"}, claims, rows, decide.Rules{})
	want := []struct {
		node words.Node
		out  words.Code
	}{{"b", ""}, {"c", ""}, {"a", ""}, {"g", ""}, {"d", words.ServerLoading}, {"e", words.NotSeen}, {"f", words.NoLineage}}
	for i, w := range want {
		if e := list[i]; e.Node != w.node || e.Out.Code != w.out {
			t.Errorf("place %d: %s (%v), want %s (%s)", i+1, e.Node, e.Out, w.node, w.out)
		}
	}
	if Place(list, "c") != 2 || Place(list, "d") != 0 || Place(list, "nobody") != 0 {
		t.Error("the places are not those of the order")
	}
}

func TestFirst(t *testing.T) {
	master := func(keys int64, replicas int) decide.Claim {
		return decide.Claim{Server: words.Server{RunID: "r", Role: words.RoleMaster, Keys: keys, Replicas: make([]words.Replica, replicas)}}
	}
	replica := decide.Claim{Server: words.Server{RunID: "r", Role: words.RoleReplica, Master: "10.0.0.1", MasterPort: 6379, Keys: 9}}
	stray := replica
	stray.Server.ReplID = "lost"
	fenced := decide.Claim{Server: words.Server{RunID: "r", Role: words.RoleReplica, Master: words.DeadEnd, MasterPort: words.DeadEndPort}}
	loading := master(0, 0)
	loading.Server.Loading = true
	unknown := master(-1, 0)
	cluster := master(0, 0)
	cluster.Server.Cluster = true
	for _, c := range []struct {
		name    string
		a, b, c decide.Claim
		node    words.Node
		why     words.Code
	}{
		{"a master and its replicas are adopted", replica, master(5, 2), replica, "b", ""},
		{"an empty master with replicas too", replica, replica, master(0, 2), "c", ""},
		{"the one with data among empty ones", master(0, 0), master(0, 0), master(3, 0), "c", ""},
		{"several empty ones: the file's first", master(0, 0), master(0, 0), master(0, 0), "a", ""},
		{"empty ones that are born fenced", fenced, fenced, fenced, "a", ""},
		{"two with data: a person's choice", master(1, 0), master(0, 0), master(2, 0), "", words.ServersDiffer},
		{"one that loads is waited for", master(0, 0), loading, master(0, 0), "", words.ServerLoading},
		{"one whose keys are not known is waited for", master(0, 0), unknown, master(0, 0), "", words.ServerLoading},
		{"one that was never seen is waited for", master(0, 0), decide.Claim{}, master(7, 2), "", words.WaitsForServers},
		{"a replica of a lost master beside empty ones: a person's choice", stray, master(0, 0), master(0, 0), "", words.ServersDiffer},
		{"and beside a master with data of its own", stray, master(5, 0), master(0, 0), "", words.ServersDiffer},
		{"one that is not kept is a person's to leave out", cluster, master(5, 2), replica, "", words.ServerCluster},
		{"replicas of a stranger only", replica, replica, replica, "", words.WaitsForServers},
	} {
		claims := map[words.Node]decide.Claim{"a": c.a, "b": c.b, "c": c.c}
		if n, why := First([]words.Node{"a", "b", "c"}, claims); n != c.node || why.Code != c.why {
			t.Errorf("%s: %q (%v), want %q (%s)", c.name, n, why, c.node, c.why)
		}
	}
	if _, why := First([]words.Node{"a", "b"}, map[words.Node]decide.Claim{"a": master(5, 2)}); why.Code != words.WaitsForServers || why.Node != "b" {
		t.Errorf("a node that was not heard: %v", why)
	}
}
