package acl

import (
	"math/rand/v2"
	"strings"
	"testing"

	"redkeep/internal/syntax"
)

// FuzzRules makes a user by rules, prints it, reads that back, and holds that both may the same.
func FuzzRules(f *testing.F) {
	table := sentinelTable(f)
	for seed := range uint64(50) {
		g := generator{rand.New(rand.NewPCG(seed, 1))}
		f.Add(strings.Join(append(g.rules(g.rule), g.rules(g.rule)...), " "))
	}
	f.Add(`"+ping|a b" (~"x +info) "+ping|)" (~a) +ping|"\"`)
	f.Fuzz(func(t *testing.T, text string) {
		rules, ok := syntax.Split(text)
		if !ok {
			return
		}
		first := New(table, false)
		if _, err := first.SetUser("u", rules); err != nil {
			if first.Find("u") != nil || err.Error() == "" {
				t.Errorf("%q: refused by halves: %v", rules, err)
			}
			return
		}
		u := first.Find("u")
		words, ok := syntax.Split(u.Line())
		if !ok {
			t.Fatalf("%q: unreadable: %s", rules, u.Line())
		}
		second := New(table, false)
		if err := second.Declare(words); err != nil {
			t.Fatalf("%q: %s: %v", rules, u.Line(), err)
		}
		if _, err := second.Adopt(); err != nil {
			t.Fatalf("%q: %s: %v", rules, u.Line(), err)
		}
		v := second.Find("u")
		if u.Line() != v.Line() || u.String() != v.String() {
			t.Errorf("%q:\n%s\n%s", rules, u.Line(), v.Line())
		}
		agree(t, u, v, rules)
	})
}

// agree holds that two users may the same.
func agree(t *testing.T, u, v *User, rules []string) {
	t.Helper()
	g := generator{rand.New(rand.NewPCG(uint64(len(rules)), 2))}
	for range 50 {
		request := g.asked()
		id, ok := u.selectors[0].table.requested(request)
		if !ok {
			continue
		}
		if a, b := u.Check(id, inBytes(request)), v.Check(id, inBytes(request)); a != b {
			t.Errorf("%q: %q: %v and %v", rules, request, a, b)
		}
		name, password := g.pattern(), g.password()
		if u.Hears(name, true) != v.Hears(name, true) || u.Hears(name, false) != v.Hears(name, false) || u.passes(password) != v.passes(password) {
			t.Errorf("%q: they differ about channel %q or password %q", rules, name, password)
		}
		if u.selectors[0].touches(name, true, false) != v.selectors[0].touches(name, true, false) {
			t.Errorf("%q: they differ about key %q", rules, name)
		}
	}
}

// FuzzLoad reads anything as a file of users: it is refused, or what is saved is read again.
func FuzzLoad(f *testing.F) {
	table := sentinelTable(f)
	for seed := range uint64(20) {
		f.Add(generator{rand.New(rand.NewPCG(seed, 3))}.file())
	}
	f.Fuzz(func(t *testing.T, file string) {
		s := New(table, false)
		before := s.Save()
		if _, err := s.Load("f", file); err != nil {
			if s.Save() != before {
				t.Errorf("%q is refused, and changes something", file)
			}
			return
		}
		for _, u := range s.named {
			if u.String() != u.Line() {
				return // a file of users has no quotes for what needs them
			}
		}
		saved := s.Save()
		if _, err := s.Load("f", saved); err != nil || s.Save() != saved {
			t.Errorf("%q: saved as %q, read as %q: %v", file, saved, s.Save(), err)
		}
	})
}
