package sentinel

import (
	"fmt"
	"strings"
	"testing"
)

// TestTrackingModes goes through them; questions.txt has the errors.
func TestTrackingModes(t *testing.T) {
	s := stage(t, orders(), 0, nil)
	c, other := call(t, s.addr), call(t, s.addr)
	id := strings.TrimSpace(strings.TrimPrefix(other.ask("CLIENT ID"), ":"))
	for _, q := range []struct{ ask, flags, redirect, prefixes string }{
		{"ON", "on", "0", ""},
		{"ON OPTIN", "on optin", "0", ""},
		{"ON NOLOOP REDIRECT " + id, "on noloop", id, ""},
		{"OFF OPTIN OPTOUT", "off", "-1", ""},
		{"ON BCAST PREFIX b PREFIX a", "on bcast", "0", "a b"},
		{"ON BCAST NOLOOP PREFIX c REDIRECT " + id, "on bcast noloop", id, "a b c"},
		{"OFF", "off", "-1", ""},
		{"ON OPTOUT", "on optout", "0", ""},
	} {
		if got := c.ask("CLIENT TRACKING " + q.ask); got != "+OK\n" {
			t.Errorf("%s: %q", q.ask, got)
		}
		want := fmt.Sprintf("flags %s redirect %s prefixes %s", q.flags, q.redirect, q.prefixes)
		if got := plainWords(c.ask("CLIENT TRACKINGINFO")); got != strings.TrimSpace(want) {
			t.Errorf("%s: %q, want %q", q.ask, got, want)
		}
		if got := c.ask("CLIENT GETREDIR"); got != ":"+q.redirect+"\n" {
			t.Errorf("%s: redirects to %q", q.ask, got)
		}
	}
}

// TestCachingIsForOneRequest that is none of CLIENT's.
func TestCachingIsForOneRequest(t *testing.T) {
	c := call(t, stage(t, orders(), 0, nil).addr)
	c.ask("CLIENT TRACKING ON OPTIN")
	c.ask("CLIENT CACHING YES")
	for _, q := range []struct {
		ask  string
		kept bool
	}{{"CLIENT ID", true}, {"CLIENT GETREDIR x", true}, {"CLIENT NOSUCH", false}} {
		c.ask(q.ask)
		if got := c.ask("CLIENT TRACKINGINFO"); strings.Contains(got, "caching-yes") != q.kept {
			t.Errorf("after %s: %q", q.ask, got)
		}
	}
}

// TestPrefixesAreBounded: whoever adds to them for ever is told so.
func TestPrefixesAreBounded(t *testing.T) {
	c := call(t, stage(t, orders(), 0, nil).addr)
	for i := range maxPrefixes {
		if got := c.ask(fmt.Sprintf("CLIENT TRACKING ON BCAST PREFIX %03d", i)); got != "+OK\n" {
			t.Fatalf("%d: %q", i, got)
		}
	}
	for _, prefix := range []string{"x", strings.Repeat("x", maxPrefix+1)} {
		if got := c.ask("CLIENT TRACKING ON BCAST PREFIX " + prefix); !strings.HasPrefix(got, "-ERR at most 256") {
			t.Errorf("%q", got)
		}
	}
}

// TestAllTracking is what INFO tells of it, which who turns it off or goes is no part of any more; and all together have a bound.
func TestAllTracking(t *testing.T) {
	_, f := quiet(t)
	var all []*Client
	ask := func(c *Client, request string) string {
		c.Receive([]byte(request + "\r\n"))
		return c.peer.(*ear).take()
	}
	for range allPrefixes/maxPrefixes + 1 {
		all = append(all, f.Open(&ear{}))
	}
	first, last := all[0], all[len(all)-1]
	holds := func(clients, prefixes int) {
		t.Helper()
		for section, want := range map[string]string{
			"clients": fmt.Sprintf("\ntracking_clients:%d\r", clients), "stats": fmt.Sprintf("\ntracking_total_prefixes:%d\r", prefixes),
		} {
			if got := ask(last, "INFO "+section); !strings.Contains(got, want) {
				t.Errorf("%q is not in %q", want, got)
			}
		}
	}
	var prefixes strings.Builder
	for i := range maxPrefixes {
		fmt.Fprintf(&prefixes, " PREFIX %03d", i)
	}
	for _, c := range all[:len(all)-1] {
		if got := ask(c, "CLIENT TRACKING ON BCAST"+prefixes.String()); got != "+OK\r\n" {
			t.Fatalf("%q", got)
		}
	}
	holds(len(all)-1, maxPrefixes)
	if got := ask(last, "CLIENT TRACKING ON BCAST PREFIX x"); !strings.HasPrefix(got, "-ERR all clients together") {
		t.Errorf("%q", got)
	}
	first.Gone()
	for range 2 {
		ask(last, "CLIENT TRACKING ON BCAST PREFIX x")
		ask(last, "CLIENT TRACKING ON BCAST")
		holds(len(all)-1, maxPrefixes+2)
	}
	ask(last, "CLIENT TRACKING OFF")
	for _, c := range all[1 : len(all)-1] {
		c.Gone()
	}
	holds(0, 0)
	if f.tracked.ofAll != 0 {
		t.Errorf("%d are left", f.tracked.ofAll)
	}
}

// plainWords are what a reply says, without lengths and kinds.
func plainWords(reply string) string {
	var all []string
	for line := range strings.SplitSeq(strings.TrimSpace(reply), "\n") {
		if kind := line[0]; kind != '*' && kind != '$' {
			all = append(all, strings.TrimPrefix(line, ":"))
		}
	}
	return strings.Join(all, " ")
}
