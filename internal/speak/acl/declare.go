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

// Declare takes the words of a user line of a configuration, "user" first, and at least two. It refuses what is wrong with it, as a
// program may that reads its configuration; names of commands and categories are left to Adopt. The error is the reason that
// follows the line in redis-sentinel's message.
func (s *Users) Declare(words []string) error {
	refuse := func(at int, why fault) error {
		word := words[min(at, len(words)-1)]
		if word != "" && (word[0] == '>' || word[0] == '<') {
			word = word[:1] + "…" // a password is not told, though Redis would
		}
		return fmt.Errorf("Error in user declaration '%s': %s", word, why)
	}
	name := words[1]
	if slices.ContainsFunc(s.declared, func(d declaration) bool { return d.name == name }) {
		return refuse(1, declaredTwice)
	}
	rules, open := merge(words[2:])
	if open >= 0 {
		return refuse(open, "Unmatched parenthesis in selector definition.")
	}
	trial := newUser(s.table, name, s.openChannels)
	for i, rule := range rules {
		// The place is that among the rules, which is Redis' way to name a word that is another.
		if why := trial.apply(rule); why != "" && why != unknownName {
			return refuse(i, why)
		}
	}
	s.declared = append(s.declared, declaration{name, rules})
	return nil
}

// Declared returns how many users were declared. With a file of users there may be none: redis-sentinel refuses to start.
func (s *Users) Declared() int { return len(s.declared) }

// Adopt makes the users that were declared; the default one is as declared and nothing else. It returns the names of those that
// are off, which may be a mistake. After an error nobody may be served.
func (s *Users) Adopt() (off []string, err error) {
	for _, d := range s.declared {
		if hasSpace(d.name) {
			return nil, fmt.Errorf("Spaces not allowed in ACL usernames") //nolint:staticcheck // the text is Redis'
		}
		u := newUser(s.table, d.name, s.openChannels)
		if d.name == DefaultUser {
			u = s.Default().clone()
			u.reset()
		}
		for _, rule := range d.rules {
			if why := u.apply(rule); why != "" {
				return nil, fmt.Errorf("Error loading ACL rule '%s' for the user named '%s': %s", rule, d.name, why)
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
