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
