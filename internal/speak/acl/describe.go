package acl

import (
	"encoding/hex"
	"slices"
	"strings"

	"redkeep/internal/syntax"
)

// Description is what ACL GETUSER tells of a user.
type Description struct {
	// Flags are on or off, and others; Passwords are SHA-256 in hexadecimal.
	Flags, Passwords []string
	// Selector is the user's own, Selectors are those in parentheses.
	Selector
	Selectors []Selector
}

// Selector is what ACL GETUSER tells of one set of permissions: the rules that make it, by what they are about.
type Selector struct{ Commands, Keys, Channels string }

// Describe returns what ACL GETUSER tells.
func (u *User) Describe() Description {
	d := Description{Flags: u.flags(), Selector: u.selectors[0].describe()}
	for _, p := range u.passwords {
		d.Passwords = append(d.Passwords, hex.EncodeToString(p[:]))
	}
	for i := range u.selectors[1:] {
		d.Selectors = append(d.Selectors, u.selectors[i+1].describe())
	}
	return d
}

func (s *selector) describe() Selector {
	return Selector{strings.Join(s.commandRules(), " "), strings.Join(s.keyRules(), " "), strings.Join(s.channelRules(), " ")}
}

func (u *User) flags() []string {
	flags := []string{"off"}
	if u.on {
		flags[0] = "on"
	}
	if u.noPass {
		flags = append(flags, "nopass")
	}
	if u.skipSanitize {
		flags = append(flags, "skip-sanitize-payload")
	}
	if u.sanitize {
		flags = append(flags, "sanitize-payload")
	}
	return flags
}

// String returns the user as ACL LIST tells it, and as ACL SAVE writes it: "user name rules".
func (u *User) String() string { return u.line(func(word string) string { return word }) }

// Line returns the user as a line of a configuration, whose reader takes words apart at their quotes. But for words that can't
// be without, it is String.
func (u *User) Line() string { return u.line(syntax.Word) }

// line prints the user; quote is for the words that somebody chose.
func (u *User) line(quote func(string) string) string {
	words := []string{"user", quote(u.name)}
	for _, rule := range u.rules() {
		words = append(words, quote(rule))
	}
	for i := range u.selectors[1:] {
		rules := u.selectors[i+1].rules()
		var inner []string
		for _, r := range rules {
			inner = append(inner, quote(r))
		}
		word := "(" + strings.Join(inner, " ") + ")"
		// A word that ends as the selector does would end it, where the words are joined by their parentheses.
		if !slices.Equal(inner, rules) || slices.ContainsFunc(inner, func(w string) bool { return strings.HasSuffix(w, ")") }) {
			word = quote(word)
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

// rules are those that make the user, but for the selectors in parentheses.
func (u *User) rules() []string {
	rules := u.flags()
	for _, p := range u.passwords {
		rules = append(rules, "#"+hex.EncodeToString(p[:]))
	}
	return append(rules, u.selectors[0].rules()...)
}

func (s *selector) rules() []string {
	channels := s.channelRules()
	if !s.allChannels {
		channels = append([]string{"resetchannels"}, channels...)
	}
	return slices.Concat(s.keyRules(), channels, s.commandRules())
}

func (s *selector) keyRules() (rules []string) {
	if s.allKeys {
		return []string{"~*"}
	}
	for _, k := range s.keys {
		switch {
		case k.read && k.write:
			rules = append(rules, "~"+k.pattern)
		case k.write:
			rules = append(rules, "%W~"+k.pattern)
		default:
			rules = append(rules, "%R~"+k.pattern)
		}
	}
	return rules
}

func (s *selector) channelRules() (rules []string) {
	if s.allChannels {
		return []string{"&*"}
	}
	for _, c := range s.channels {
		rules = append(rules, "&"+c)
	}
	return rules
}

// commandRules says in few rules which commands are allowed: everything or nothing first, then categories as long as one says more
// than it has to be taken back for, then single commands. It is not the shortest there is, but the one that Redis prints; only
// the order of the single commands is ours (by name), since Redis' is another in each process.
func (s *selector) commandRules() []string {
	made, sign, inverse := newSelector(s.table, false), "+", "-"
	rules := []string{"-@all"}
	if s.future {
		made.all(true)
		rules, sign, inverse = []string{"+@all"}, "-", "+"
	}
	// left is what has not been said yet.
	left := s.clone()
	var said uint64
	for {
		best := left.bestCategory(said, !s.future)
		if best < 0 {
			break
		}
		said |= 1 << best
		name := "@" + s.table.categories[best]
		rules = append(rules, sign+name)
		_ = made.apply(sign + name) // the categories are the table's own
		_ = left.apply(inverse + name)
	}
	for _, id := range s.table.tops {
		rules = s.singleRules(&made, id, rules)
	}
	return rules
}

// bestCategory returns the category that says most about the selector: of those with more commands that fit than don't, the one
// with the fewest that don't, and of such the one with the most that do. additive is whether an allowed command fits. It
// returns -1 where there is none.
func (s *selector) bestCategory(said uint64, additive bool) int {
	best, fewest, most := -1, 0, 0
	for i := range s.table.categories {
		if said&(1<<i) != 0 {
			continue
		}
		fit, misfit := s.count(1 << i)
		if !additive {
			fit, misfit = misfit, fit
		}
		if fit > misfit && (best < 0 || misfit < fewest || misfit == fewest && fit > most) {
			best, fewest, most = i, misfit, fit
		}
	}
	return best
}

// count returns how many commands of a category are allowed, and how many are not.
func (s *selector) count(category uint64) (allowed, denied int) {
	for i := range s.table.entries {
		switch {
		case s.table.entries[i].categories&category == 0:
		case s.allows(ID(i)):
			allowed++
		default:
			denied++
		}
	}
	return allowed, denied
}

// singleRules appends what it takes to make a command, with its subcommands, the same in made as it is in s.
func (s *selector) singleRules(made *selector, id ID, rules []string) []string {
	e := &s.table.entries[id]
	allowed := s.allows(id)
	if allowed != made.allows(id) {
		sign := "-"
		if allowed {
			sign = "+"
		}
		rules = append(rules, sign+e.full)
		made.command(id, allowed)
	}
	for _, sub := range e.subs {
		rules = s.singleRules(made, sub, rules)
	}
	if !allowed {
		for _, word := range s.firstArgs[id] {
			rules = append(rules, "+"+e.full+"|"+word)
		}
	}
	return rules
}
