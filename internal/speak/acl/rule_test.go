package acl

import (
	"slices"
	"strings"
	"testing"
)

// TestRules holds what becomes of rules. testdata has more, which is compared with the real one where there is one.
func TestRules(t *testing.T) {
	const hash = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
	for _, c := range []struct{ rules, want string }{
		{"", "user u off resetchannels -@all"},
		{"on >test ~a &b +@all", "user u on #" + hash + " ~a resetchannels &b +@all"},
		{"on #" + hash + " <test", "user u on resetchannels -@all"},
		{">test nopass", "user u off nopass resetchannels -@all"},
		{"nopass >test resetpass", "user u off resetchannels -@all"},
		{"reset", "user u off sanitize-payload resetchannels -@all"},
		{"skip-sanitize-payload", "user u off skip-sanitize-payload resetchannels -@all"},
		{"%R~a %W~a %RW~b %w~c", "user u off ~a ~b %W~c resetchannels -@all"},
		{"+@all -client|kill", "user u off resetchannels +@all -client|kill"},
		{"+@all -@dangerous", "user u off resetchannels +@all -@dangerous"},
		{"+client|id +client|kill", "user u off resetchannels -@all +client|id +client|kill"},
		{"+client", "user u off resetchannels -@all +@connection -auth +client -command -hello -ping"},
		{"+@connection -client", "user u off resetchannels -@all +@fast +command -publish -role"},
		{"+ping|a +ping|A +ping|b", "user u off resetchannels -@all +ping|a +ping|b"},
		{"+ping|a +ping", "user u off resetchannels -@all +ping"},
		{"+@all -@all", "user u off resetchannels -@all"},
		{"+@all -ping +ping", "user u off resetchannels +@all"},
		{"(+ping ~a) ( ~b )", "user u off resetchannels -@all (~a resetchannels -@all +ping) (~b resetchannels -@all)"},
		{"(+ping (~b )", "user u off resetchannels -@all (~b resetchannels -@all)"},
		{"(+ping) clearselectors", "user u off resetchannels -@all"},
		{"+get", "ERR Error in ACL SETUSER modifier '+get': Unknown command or category name in ACL"},
		{"on +@nosuch", "ERR Error in ACL SETUSER modifier '+@nosuch': Unknown command or category name in ACL"},
		{"+client|kill|x", "ERR Error in ACL SETUSER modifier '+client|kill|x': Allowing first-arg of a subcommand is not supported"},
		{"+ping|", "ERR Error in ACL SETUSER modifier '+ping|': Syntax error"},
		{"~* ~a", "ERR Error in ACL SETUSER modifier '~a': " + string(afterAllKeys)},
		{"&* &a", "ERR Error in ACL SETUSER modifier '&a': " + string(afterAllChans)},
		{"#12", "ERR Error in ACL SETUSER modifier '#12': " + string(badHash)},
		{"<test", "ERR Error in ACL SETUSER modifier '<test': " + string(noSuchHash)},
		{"(+ping >x)", "ERR Error in ACL SETUSER modifier '(+ping >x)': Syntax error"},
		{"on (+ping", "ERR Unmatched parenthesis in acl selector starting at '(+ping'."},
	} {
		s := New(sentinelTable(t), false)
		_, err := s.SetUser("u", strings.Fields(c.rules))
		got := ""
		if err != nil {
			got = err.Error()
			if s.Find("u") != nil {
				t.Errorf("%s: there is a user though they were refused", c.rules)
			}
		} else {
			got = s.Find("u").String()
		}
		if got != c.want {
			t.Errorf("%s: %s\nwant: %s", c.rules, got, c.want)
		}
	}
}

// TestSetUserIsAllOrNothing changes a user by rules of which the last is wrong.
func TestSetUserIsAllOrNothing(t *testing.T) {
	s := New(sentinelTable(t), false)
	mustSet(t, s, "u", "on +ping (+info)")
	before := s.List()
	if _, err := s.SetUser("u", []string{"off", "-ping", "clearselectors", "(+role)", ">x", "~k", "&c", "nosuch"}); err == nil {
		t.Fatal("a wrong rule is taken")
	}
	if !slices.Equal(s.List(), before) {
		t.Errorf("it has changed: %q", s.List())
	}
}

func mustSet(t testing.TB, s *Users, name, rules string) *User {
	t.Helper()
	if _, err := s.SetUser(name, strings.Fields(rules)); err != nil {
		t.Fatal(err)
	}
	return s.Find(name)
}

// inBytes is a request as it comes from the wire.
func inBytes(request []string) (words [][]byte) {
	for _, w := range request {
		words = append(words, []byte(w))
	}
	return words
}

// TestDecisions holds what users may.
func TestDecisions(t *testing.T) {
	for _, c := range []struct {
		rules, request string
		want           Verdict
	}{
		{"+ping", "ping", Verdict{}},
		{"", "ping", Verdict{DeniedCommand, 0}},
		{"", "auth x", Verdict{}},
		{"+ping|x", "PING X", Verdict{}},
		{"+ping|x", "ping", Verdict{DeniedCommand, 0}},
		{"+client|kill", "client kill x", Verdict{}},
		{"+@all -client|kill", "client kill x", Verdict{DeniedCommand, 0}},
		{"+publish &a*", "publish ab m", Verdict{}},
		{"+publish &a*", "publish b m", Verdict{DeniedChannel, 1}},
		{"+subscribe &a", "subscribe a b a", Verdict{DeniedChannel, 2}},
		{"+psubscribe &a*", "psubscribe a*", Verdict{}},
		{"+psubscribe &a*", "psubscribe ab", Verdict{DeniedChannel, 1}},
		{"+psubscribe allchannels", "psubscribe *", Verdict{}},
		{"+publish (+publish &a)", "publish a m", Verdict{}},
		{"(+publish &a) (&b)", "publish b m", Verdict{DeniedChannel, 1}},
		{"+get ~a*", "get ab", Verdict{}},
		{"+get ~a*", "get b", Verdict{DeniedKey, 1}},
		{"+get %W~a", "get a", Verdict{DeniedKey, 1}},
		{"+get %R~a", "get a", Verdict{}},
		{"+mset ~a ~c", "mset a b c d", Verdict{}},
		{"+mset ~a", "mset a b c d", Verdict{DeniedKey, 3}},
		{"+mset %R~a", "mset a b", Verdict{DeniedKey, 1}},
		{"+mset allkeys", "mset a b", Verdict{}},
	} {
		table, err := NewTable(categories, append(sentinelCommands(t),
			Command{Name: "get", Arity: 2, Categories: []string{"read"}, Keys: Keys{First: 1, Last: 1, Step: 1, Read: true}},
			Command{Name: "mset", Arity: -3, Categories: []string{"write"}, Keys: Keys{First: 1, Last: -1, Step: 2, Write: true}}))
		if err != nil {
			t.Fatal(err)
		}
		u := mustSet(t, New(table, false), "u", c.rules)
		request := strings.Fields(c.request)
		id, ok := table.requested(request)
		if !ok {
			t.Fatalf("there is no %s", c.request)
		}
		if got := u.Check(id, inBytes(request)); got != c.want {
			t.Errorf("%s: %s: %v, want %v", c.rules, c.request, got, c.want)
		}
	}
}

// TestCheckAllocatesNothing holds what every request costs.
func TestCheckAllocatesNothing(t *testing.T) {
	s := New(sentinelTable(t), false)
	id, _ := s.table.ID("subscribe")
	request := inBytes([]string{"subscribe", "a", "b", "+switch-master"})
	u := mustSet(t, s, "u", "+@pubsub +ping|x &[a-c] &+*")
	for who, u := range map[string]*User{"default": s.Default(), "u": u} {
		if n := testing.AllocsPerRun(100, func() {
			if u.Check(id, request) != (Verdict{}) {
				t.Error("it is denied")
			}
		}); n > 0 {
			t.Errorf("%s: %v allocations", who, n)
		}
	}
}
