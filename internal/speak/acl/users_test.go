package acl

import (
	"slices"
	"strings"
	"testing"

	"redkeep/internal/syntax"
)

func TestAuthenticate(t *testing.T) {
	s := New(sentinelTable(t), false)
	u := mustSet(t, s, "u", "on >a >b")
	for password, want := range map[string]*User{"a": u, "b": u, "": nil, "c": nil, "A": nil} {
		if s.Authenticate("u", password) != want {
			t.Errorf("%q: not %v", password, want != nil)
		}
	}
	mustSet(t, s, "u", "off")
	if s.Authenticate("u", "a") != nil || s.Authenticate("nosuch", "a") != nil {
		t.Error("who is off, or nobody, is let in")
	}
	mustSet(t, s, "u", "on nopass")
	if s.Authenticate("u", "whatever") != u {
		t.Error("who needs no password is turned away")
	}
}

func TestRequirePass(t *testing.T) {
	s := New(sentinelTable(t), false)
	if !s.Open() {
		t.Error("the default user needs a password")
	}
	s.RequirePass("x")
	if s.Open() || s.Authenticate(DefaultUser, "x") != s.Default() || s.Authenticate(DefaultUser, "y") != nil {
		t.Error("a password is not required")
	}
	s.RequirePass("y")
	if s.Authenticate(DefaultUser, "x") != nil {
		t.Error("the old password still passes")
	}
	s.RequirePass("")
	if !s.Open() {
		t.Error("the default user still needs a password")
	}
}

// TestEffects holds whom changes hit.
func TestEffects(t *testing.T) {
	s := New(sentinelTable(t), false)
	u, v := mustSet(t, s, "u", "&a &b*"), mustSet(t, s, "v", "allchannels")
	for _, c := range []struct {
		name, rules string
		hit         *User
	}{
		{"u", "off -@all", nil}, {"u", "&c", nil}, {"u", "(&d)", nil}, {"u", "clearselectors", u}, {"u", "resetchannels &a &b* &c", nil},
		{"u", "resetchannels &a", u}, {"u", "(&* +ping)", nil}, {"u", "resetchannels", nil}, {"u", "clearselectors", u},
		{"v", "resetchannels &*", nil}, {"v", "resetchannels &a", v}, {"new", "&a", nil},
	} {
		e, err := s.SetUser(c.name, strings.Fields(c.rules))
		if err != nil || e.Narrowed != c.hit || e.Ended != nil {
			t.Errorf("%s %s: %+v, %v", c.name, c.rules, e, err)
		}
	}
	if !v.Hears("a", false) || !v.Hears("a", true) || v.Hears("b", false) || v.Hears("*", true) {
		t.Error("v hears other than what its rules say")
	}
	n, e, err := s.DelUser([]string{"u", "nosuch", "v", "u"})
	if n != 2 || err != nil || !slices.Equal(e.Ended, []*User{u, v}) {
		t.Errorf("%d, %+v, %v", n, e, err)
	}
	if _, _, err := s.DelUser([]string{"new", DefaultUser}); err == nil || s.Find("new") == nil {
		t.Error("the default user is removed, or another with it")
	}
}

// TestChangeActsOnLiveConnections holds that a handle follows its user, and is not that of the next of the name.
func TestChangeActsOnLiveConnections(t *testing.T) {
	s := New(sentinelTable(t), false)
	held, byDefault := mustSet(t, s, "u", "+ping"), s.Default()
	ping, _ := s.table.ID("ping")
	mustSet(t, s, "u", "-ping")
	if held.Check(ping, inBytes([]string{"ping"})).Denied != DeniedCommand || held.Name() != "u" {
		t.Error("the change does not act on who is connected")
	}
	if _, err := s.Load("f", "user u on +@all\nuser default on +@all -ping"); err != nil {
		t.Fatal(err)
	}
	if s.Find("u") == held || s.Default() != byDefault || byDefault.Check(ping, inBytes([]string{"ping"})).Denied != DeniedCommand {
		t.Error("a file must replace all users but the default one")
	}
	if _, err := s.Load("f", ""); err != nil || byDefault.Check(ping, inBytes([]string{"ping"})).Denied != Allowed || !s.Open() {
		t.Error("an empty file must leave the default user as it is at first")
	}
}

func TestLoad(t *testing.T) {
	const changed = "WARNING: ACL errors detected, no change to the previously active ACL rules was performed"
	for file, want := range map[string]string{
		"user a on\nuser a on\n": "WARNING: Duplicate user 'a' found on line 2. " + changed,
		"\n foo\n":               "f:2 should start with user keyword followed by the username. " + changed,
		"user a +get foo ~* ~x\n\nuser b +@x\n": "f:1: Error in applying operation '+get': Unknown command or category name in ACL. f:1: Syntax error. " +
			"f:3: Error in applying operation '+@x': Unknown command or category name in ACL. " + changed,
		"user a\ton\n":       "'f:1: username 'a\ton' contains invalid characters. " + changed,
		"user a (+ping ~x\n": "f:1: Unmatched parenthesis in selector definition." + changed,
	} {
		s := New(sentinelTable(t), false)
		mustSet(t, s, "kept", "on")
		if _, err := s.Load("f", file); err == nil || err.Error() != "ERR "+want || s.Find("kept") == nil {
			t.Errorf("%q: %v\nwant: %s", file, err, want)
		}
	}
	s := New(sentinelTable(t), false)
	mustSet(t, s, "u", "on >p ~a &b +ping (+info)")
	text := s.Save()
	if text != strings.Join(s.List(), "\n")+"\n" {
		t.Errorf("%q", text)
	}
	if _, err := s.Load("f", text); err != nil || s.Save() != text {
		t.Errorf("%v: %q", err, s.Save())
	}
}

// TestDeclare holds what is said of the users of a configuration, in the words of redis-sentinel 7.0.15.
func TestDeclare(t *testing.T) {
	for _, c := range []struct{ lines, refused, adopted string }{
		{"user a on\nuser a off", "Error in user declaration 'a': Duplicate user found. A user can only be defined once in config files", ""},
		{"user a foo", "Error in user declaration 'user': Syntax error", ""},
		{"user a ~* ~x", "Error in user declaration 'a': " + string(afterAllKeys), ""},
		{"user a on foo +ping", "Error in user declaration 'a': Syntax error", ""},
		{"user a #abc", "Error in user declaration 'user': " + string(badHash), ""},
		{"user a +client|kill|b", "Error in user declaration 'user': " + string(argOfSub), ""},
		{"user a on >secret foo", "Error in user declaration 'on': Syntax error", ""},
		{"user a >secret on foo", "Error in user declaration '>…': Syntax error", ""},
		{"user a +get", "", "Error loading ACL rule '+get' for the user named 'a': Unknown command or category name in ACL"},
		{"user a (+get)", "", "Error loading ACL rule '(+get)' for the user named 'a': Unknown command or category name in ACL"},
		{`user "a b" on`, "", "Spaces not allowed in ACL usernames"},
		{"user a on (+ping ~x)\nuser default off", "", ""},
	} {
		s := New(sentinelTable(t), false)
		var refused, adopted string
		for line := range strings.Lines(c.lines) {
			words, _ := syntax.Split(line)
			if err := s.Declare(words); err != nil {
				refused = err.Error()
			}
		}
		if refused == "" {
			if _, err := s.Adopt(); err != nil {
				adopted = err.Error()
			}
		}
		if refused != c.refused || adopted != c.adopted {
			t.Errorf("%s:\n%s\n%s", c.lines, refused, adopted)
		}
	}
}

// TestTrial holds which rule is said to be wrong.
func TestTrial(t *testing.T) {
	table := sentinelTable(t)
	for rules, want := range map[string]struct {
		at  int
		why fault
	}{
		"":                        {},
		"on +get +@x (+get) >p":   {},
		"on foo +ping":            {1, badSyntax},
		"on (+ping ~a) foo":       {2, badSyntax},
		"on (+ping ~a":            {1, unmatched},
		"~* on ~a":                {2, afterAllKeys},
		"+get &* on +client|kill": {},
	} {
		at, err := table.Trial(strings.Fields(rules))
		if at != want.at || (err == nil) != (want.why == "") || err != nil && err.Error() != string(want.why) {
			t.Errorf("%s: %d, %v", rules, at, err)
		}
	}
}

// TestAdopt holds that a declared default user is nothing but what is declared, and that others come on top.
func TestAdopt(t *testing.T) {
	s := New(sentinelTable(t), false)
	s.RequirePass("x")
	for _, line := range []string{"user default on >y +ping", "user a +info", "user b on"} {
		if err := s.Declare(strings.Fields(line)); err != nil {
			t.Fatal(err)
		}
	}
	if s.Declared() != 3 {
		t.Errorf("%d are declared", s.Declared())
	}
	off, err := s.Adopt()
	if err != nil || !slices.Equal(off, []string{"a"}) {
		t.Errorf("%q, %v", off, err)
	}
	s.RequirePass("z")
	if s.Authenticate(DefaultUser, "x") != nil || s.Authenticate(DefaultUser, "y") == nil || s.Authenticate(DefaultUser, "z") != nil {
		t.Error("the default user's password is not the declared one")
	}
	want := []string{"user a off resetchannels -@all +info", "user b on resetchannels -@all",
		"user default on sanitize-payload #a1fce4363854ff888cff4b8e7875d600c2682390412a8cf79b37d0b11148b0fa resetchannels -@all +ping"}
	if !slices.Equal(s.Lines(), want) {
		t.Errorf("%q", s.Lines())
	}
}

// TestOpenChannels is acl-pubsub-default allchannels.
func TestOpenChannels(t *testing.T) {
	s := New(sentinelTable(t), true)
	u := mustSet(t, s, "u", "(+ping)")
	if want := "user u off &* -@all (&* -@all +ping)"; u.String() != want {
		t.Error(u)
	}
	mustSet(t, s, "u", "resetchannels &a")
	if mustSet(t, s, "u", "reset"); u.String() != "user u off sanitize-payload &* -@all" {
		t.Error(u)
	}
}

func TestGenPass(t *testing.T) {
	random := func(b []byte) {
		for i := range b {
			b[i] = 0xab
		}
	}
	for bits, want := range map[string]string{"1": "a", "4": "a", "5": "ab", "9": "aba", "0": "", "4097": "", "x": "", "+1": ""} {
		if got, err := GenPass(random, bits); got != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v", bits, got, err)
		}
	}
	if got, _ := GenPass(random); len(got) != 64 {
		t.Errorf("%q", got)
	}
}
