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

// warned are the warnings of a text that has no mistake, with those of a host.
func warned(t *testing.T, what, text, host string) (all []string) {
	t.Helper()
	c, err := Parse("f", []byte(text), nil)
	if err != nil {
		t.Errorf("%s: %v", what, err)
	}
	list := c.Warnings
	if host != "" {
		list = append(list, c.On(fakeHost{lines: []string{host}})...)
	}
	for _, p := range list {
		all = append(all, p.What)
	}
	return all
}

// TestUnicastWithoutPeers is multicast from that source, as keepalived has it, and said.
func TestUnicastWithoutPeers(t *testing.T) {
	for _, line := range []string{"unicast_src_ip 10.0.0.1", "unicast_ttl 7", "check_unicast_src", "old_unicast_checksum"} {
		text := inst("A", 1, "10.0.0.100", line)
		if got := warned(t, line, text, ""); len(got) != 1 || !strings.Contains(got[0], "stands without unicast_peer: it is multicast") {
			t.Errorf("%s: %q", line, got)
		}
	}
	c, err := Parse("f", []byte(inst("A", 1, "10.0.0.100", "unicast_src_ip 10.0.0.1")), nil)
	if err != nil || c.Instances[0].Unicast() || c.Instances[0].Source.String() != "10.0.0.1" {
		t.Errorf("%v, %+v", err, c.Instances)
	}
	if got := warned(t, "with peers", inst("A", 1, "10.0.0.100", "unicast_src_ip 10.0.0.1\nunicast_peer {\n10.0.0.2\n}"), ""); len(got) != 0 {
		t.Errorf("with peers: %q", got)
	}
}

// TestAddressesThatNobodyCanConnectTo are a subnet's first and last, by the address's own mask or by the host's.
func TestAddressesThatNobodyCanConnectTo(t *testing.T) {
	const host = "interface eth0 10.77.0.1/24 fd00::1/64"
	for vip, want := range map[string]string{
		"10.77.0.255/24": "10.77.0.255 is the broadcast address of 10.77.0.0/24", "10.77.0.255": "10.77.0.255 is the broadcast address of 10.77.0.0/24",
		"10.77.0.0/24": "10.77.0.0 is the network address of 10.77.0.0/24", "10.77.0.0": "10.77.0.0 is the network address of 10.77.0.0/24",
		"10.77.0.254/24": "", "10.77.0.255/31": "10.77.0.255 is the broadcast address of 10.77.0.0/24", "10.77.0.7/29": "10.77.0.7 is the broadcast address of 10.77.0.0/29",
		"fd00::/64": "", "fd00::ff": "",
	} {
		got := warned(t, vip, inst("A", 1, vip, ""), host)
		if want == "" && len(got) != 0 || want != "" && (len(got) != 1 || !strings.HasPrefix(got[0], want)) {
			t.Errorf("%s: %q, want %q", vip, got, want)
		}
	}
	if got := warned(t, "another network", inst("A", 1, "10.77.0.255", ""), "interface eth0 10.77.0.1/24 10.77.0.2/16"); len(got) != 0 {
		t.Errorf("inside of a larger network: %q", got)
	}
}

// TestPlainRepairs of numbers are those that drop what can't have been meant: not the half of another number.
func TestPlainRepairs(t *testing.T) {
	for word, want := range map[string]string{"150a": "150", "51;": "51", "1e2": "", "0x33": "", "1.5": "", "10-0": "", "1_00": ""} {
		c, err := Parse("f", []byte(strings.Replace(inst("A", 1, "10.0.0.100", ""), "priority 100", "priority "+word, 1)), nil)
		wrong, is := err.(Errors)
		if !is || len(wrong) != 1 {
			t.Errorf("%s: %v", word, err)
			continue
		}
		if got := strings.Contains(string(Repaired(c.Files[0], wrong)), "priority "+want+"\n"); got != (want != "") {
			t.Errorf("%s: %q", word, Repaired(c.Files[0], wrong))
		}
	}
}

// TestBracesWithoutNames are told once each.
func TestBracesWithoutNames(t *testing.T) {
	_, err := Parse("f", []byte("{{{{{"), nil)
	if wrong, is := err.(Errors); !is || len(wrong) != 5 {
		t.Errorf("%v", err)
	}
	if _, err := Parse("f", []byte("{{\nvrrp_instance A {\n"), nil); err == nil || !strings.Contains(err.Error(), "the block of vrrp_instance A is not closed") {
		t.Errorf("%v", err)
	}
}
