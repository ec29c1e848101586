package keepalivedconf

import (
	"fmt"
	"strings"
	"testing"
)

// inst is an instance as text, with one address and whatever else.
func inst(name string, vrid int, vip, more string) string {
	return fmt.Sprintf("vrrp_instance %s {\ninterface eth0\nvirtual_router_id %d\npriority 100\nvirtual_ipaddress {\n%s\n}\n%s\n}\n", name, vrid, vip, more)
}

// judge looks for one mistake in a text, and no other; "" is that there is none.
func judge(t *testing.T, what, text, want string) {
	t.Helper()
	_, err := Parse("f", []byte(text), nil)
	switch {
	case err == nil && want != "":
		t.Errorf("%s: taken, want %q", what, want)
	case err != nil && (want == "" || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n")):
		t.Errorf("%s: %v, want %q", what, err, want)
	}
}

// TestAnAddressIsInOnePlace is of all that carry one: whichever falls first takes it off under the other.
func TestAnAddressIsInOnePlace(t *testing.T) {
	const excluded = "virtual_ipaddress_excluded {\n10.0.0.102\n}"
	judge(t, "each has its own", inst("A", 1, "10.0.0.100", excluded)+inst("B", 2, "10.0.0.101", ""), "")
	judge(t, "excluded in the first", inst("A", 1, "10.0.0.100", excluded)+inst("B", 2, "10.0.0.102", ""), "A and B both have the address 10.0.0.102")
	judge(t, "excluded in the second", inst("A", 1, "10.0.0.102", "")+inst("B", 2, "10.0.0.100", excluded), "A and B both have the address 10.0.0.102")
	judge(t, "excluded in both", inst("A", 1, "10.0.0.100", excluded)+inst("B", 2, "10.0.0.101", excluded), "A and B both have the address 10.0.0.102")
	judge(t, "in both lists of one", inst("A", 1, "10.0.0.102/24", excluded), "two lists of vrrp_instance A have the address 10.0.0.102")
	judge(t, "in two blocks of one", inst("A", 1, "10.0.0.100", "virtual_ipaddress {\n10.0.0.100 dev eth1\n}"), "two lists of vrrp_instance A have the address 10.0.0.100")
}

// TestSourcesAreNotTooMany is as many as a host can be asked for; instances may share one.
func TestSourcesAreNotTooMany(t *testing.T) {
	file := func(different int) string {
		var b strings.Builder
		for n := range 100 {
			b.WriteString(inst(fmt.Sprint("A", n), n+1, fmt.Sprint("10.0.0.", n+100), fmt.Sprintf("mcast_src_ip 10.1.0.%d\ntrack_src_ip", n%different+1)))
		}
		return b.String()
	}
	judge(t, "as many as it can", file(mostSources), "")
	judge(t, "one more", file(mostSources+1), "more than 64 different sources")
}

// TestChecksThatWouldDoNothing are those with a weight, of every kind, where a weight does nothing.
func TestChecksThatWouldDoNothing(t *testing.T) {
	const process, script = "vrrp_track_process c {\nprocess redis-server\nweight -50\n}\n", "vrrp_script c {\nscript /x\nweight -50\n}\n"
	for _, c := range []struct{ what, before, line string }{
		{"a script by its own weight", script, "track_script {\nc\n}"},
		{"a script", script, "track_script {\nc weight 5\n}"},
		{"a process by its own weight", process, "track_process {\nc\n}"},
		{"a process", process, "track_process {\nc weight 5\n}"},
		{"an interface", "", "track_interface {\nc weight 5\n}"},
	} {
		plain := strings.Replace(strings.Replace(c.line, "c\n", "c weight 0\n", 1), "weight 5", "weight 0", 1)
		group := func(in, more string) string {
			return c.before + inst("A", 1, "10.0.0.100", in) + inst("B", 2, "10.0.0.101", "") + "vrrp_sync_group G {\ngroup {\nA\nB\n}\n" + more + "\n}\n"
		}
		judge(t, c.what+" of a member", group(c.line, ""), "ignores in vrrp_sync_group G: it would check nothing")
		judge(t, c.what+" of a group", group("", c.line), "ignores in vrrp_sync_group G: it would check nothing")
		judge(t, c.what+" where weights count", group(c.line, "sync_group_tracking_weight"), "")
		judge(t, c.what+" with weight 0", group(plain, plain), "")
		judge(t, c.what+" beside nopreempt", c.before+inst("A", 1, "10.0.0.100", c.line+"\nnopreempt"), "can never move the address")
		judge(t, c.what+" with weight 0 beside nopreempt", c.before+inst("A", 1, "10.0.0.100", plain+"\nnopreempt"), "")
	}
}

// TestNamesOccurOnce is of all blocks that have one.
func TestNamesOccurOnce(t *testing.T) {
	const process, group = "vrrp_track_process p {\nprocess redis-server\n}\n", "vrrp_sync_group G {\ngroup {\nA\nB\n}\n}\n"
	two := inst("A", 1, "10.0.0.100", "") + inst("B", 2, "10.0.0.101", "")
	judge(t, "once", process+two+group, "")
	judge(t, "a process twice", process+two+process, "vrrp_track_process p is there already")
	judge(t, "a group twice", two+group+group, "vrrp_sync_group G is there already")
	judge(t, "an instance twice", two+inst("A", 3, "10.0.0.103", ""), "vrrp_instance A is there already")
}

// TestWhatDoesNothingIsTold once, with its reason.
func TestWhatDoesNothingIsTold(t *testing.T) {
	c, err := Parse("f", []byte(inst("A", 1, "10.0.0.100", "timer_expired_backup")), nil)
	if err != nil || len(c.Warnings) != 1 || !strings.Contains(c.Warnings[0].What, "timer_expired_backup is passed over") {
		t.Errorf("%v, %v", err, c.Warnings)
	}
}
