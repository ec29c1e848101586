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
