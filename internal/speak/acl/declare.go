package acl

import (
	"fmt"
	"slices"
)

// declaration is a user line of a configuration.
type declaration struct {
	name  string
	rules []string
}

// Trial says what is wrong with the rules of one user line of a configuration, and with which of them, a selector of several words
// counting as one. Names of commands and categories are left to Adopt, as redis-sentinel leaves them.
func (t *Table) Trial(rules []string) (at int, err error) {
	return trial(newUser(t, "", false), rules)
}

func trial(u *User, rules []string) (at int, err error) {
	merged, open := merge(rules)
	if open >= 0 {
		return open, unmatched
	}
	for i, rule := range merged {
		if why := u.apply(rule); why != "" && why != unknownName {
			return i, why
		}
	}
	return 0, nil
}

// Declare takes the words of a user line of a configuration, "user" first, and at least two. It refuses what is wrong with it, as a
// program may that reads its configuration; names of commands and categories are left to Adopt. The error is the reason that
// follows the line in redis-sentinel's message.
func (s *Users) Declare(words []string) error {
	name := words[1]
	at, err := 1, error(nil)
	if slices.ContainsFunc(s.declared, func(d declaration) bool { return d.name == name }) {
		err = declaredTwice
	} else {
		at, err = trial(newUser(s.table, name, s.openChannels), words[2:])
	}
	if err != nil {
		// The word is that of the place among the rules, which is Redis' way to name one that is another.
		word := words[min(at, len(words)-1)]
		if word != "" && (word[0] == '>' || word[0] == '<') {
			word = word[:1] + "…" // a password is not told, though Redis would
		}
		return fmt.Errorf("Error in user declaration '%s': %w", word, err)
	}
	rules, _ := merge(words[2:])
	s.declared = append(s.declared, declaration{name, rules})
	return nil
}

// Declared returns how many users were declared. With a file of users there may be none: redis-sentinel refuses to start.
func (s *Users) Declared() int { return len(s.declared) }

// Adopt makes the users that were declared; the default one is as declared and nothing else, whatever RequirePass has given it or
// will. It returns the names of those that are off, which may be a mistake. After an error nobody may be served.
func (s *Users) Adopt() (off []string, err error) {
	for _, d := range s.declared {
		if hasSpace(d.name) {
			return nil, fmt.Errorf("Spaces not allowed in ACL usernames") //nolint:staticcheck // the text is Redis'
		}
		u := newUser(s.table, d.name, s.openChannels)
		if d.name == DefaultUser {
			u = s.Default().clone()
			u.reset()
			s.given = true
		}
		for _, rule := range d.rules {
			if why := u.apply(rule); why != "" {
				return nil, fmt.Errorf("Error loading ACL rule '%s' for the user named '%s': %w", rule, d.name, why)
			}
		}
		if s.named[d.name] == nil {
			s.named[d.name] = &User{name: d.name}
		}
		s.named[d.name].become(u)
		if !u.on {
			off = append(off, d.name)
		}
	}
	s.declared = nil
	return off, nil
}
