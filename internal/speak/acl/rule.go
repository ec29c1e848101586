package acl

import (
	"slices"
	"strings"

	"redkeep/internal/syntax"
)

// fault is why a rule is refused, in Redis' words. It is "" for one that was taken.
type fault string

const (
	unknownName   fault = "Unknown command or category name in ACL"
	badSyntax     fault = "Syntax error"
	afterAllKeys  fault = "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have any effect. Try 'resetkeys' to start with an empty list of patterns"
	afterAllChans fault = "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not have any effect. Try 'resetchannels' to start with an empty list of channels"
	declaredTwice fault = "Duplicate user found. A user can only be defined once in config files"
	argOfSub      fault = "Allowing first-arg of a subcommand is not supported"
	badHash       fault = "The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters"
	unmatched     fault = "Unmatched parenthesis in selector definition."
	noSuchHash    fault = "The password you are trying to remove from the user does not exist"
)

// Error returns the words, where it is an error by itself.
func (f fault) Error() string { return string(f) }

// text is as much of a word as Redis sees where it takes it for a C string: up to a zero byte.
func text(word string) string {
	before, _, _ := strings.Cut(word, "\x00")
	return before
}

// apply changes the user by one rule. One that is refused has changed nothing.
func (u *User) apply(rule string) fault {
	switch strings.ToLower(text(rule)) {
	case "":
		if rule == "" {
			return ""
		}
	case "on":
		u.on = true
		return ""
	case "off":
		u.on = false
		return ""
	case "nopass":
		u.noPass, u.passwords = true, nil
		return ""
	case "resetpass":
		u.noPass, u.passwords = false, nil
		return ""
	case "sanitize-payload":
		u.sanitize, u.skipSanitize = true, false
		return ""
	case "skip-sanitize-payload":
		u.sanitize, u.skipSanitize = false, true
		return ""
	case "clearselectors":
		u.selectors = u.selectors[:1]
		return ""
	case "reset":
		u.reset()
		return ""
	}
	return u.applyMark(rule)
}

// applyMark takes the rules that are known by their first byte.
func (u *User) applyMark(rule string) fault {
	switch rest := rule[1:]; {
	case rule[0] == '>' || rule[0] == '#':
		return u.addPassword(rest, rule[0] == '#')
	case rule[0] == '<' || rule[0] == '!':
		return u.dropPassword(rest, rule[0] == '!')
	case rule[0] == '(' && rule[len(rule)-1] == ')':
		s, why := u.parseSelector(rule)
		if why == "" {
			u.selectors = append(u.selectors, s)
		}
		return why
	default:
		return u.selectors[0].apply(rule)
	}
}

// reset makes the user what a new one is, but that its payloads are said to be sanitized.
func (u *User) reset() {
	u.on, u.noPass, u.passwords = false, false, nil
	u.sanitize, u.skipSanitize = true, false
	u.selectors = []selector{newSelector(u.selectors[0].table, u.openChannels)}
}

// parseSelector reads "(rules)". What can't be split into words, for its quotes, is no rule at all.
func (u *User) parseSelector(rule string) (selector, fault) {
	s := newSelector(u.selectors[0].table, u.openChannels)
	rules, _ := syntax.Split(strings.TrimSuffix(rule[1:], ")"))
	for _, r := range rules {
		if why := s.apply(r); why != "" {
			return s, why
		}
	}
	return s, ""
}

// apply changes the selector by one rule.
func (s *selector) apply(rule string) fault {
	switch strings.ToLower(text(rule)) {
	case "":
		return badSyntax
	case "allkeys", "~*":
		s.allKeys, s.keys = true, nil
	case "resetkeys":
		s.allKeys, s.keys = false, nil
	case "allchannels", "&*":
		s.allChannels, s.channels = true, nil
	case "resetchannels":
		s.allChannels, s.channels = false, nil
	case "allcommands", "+@all":
		s.all(true)
	case "nocommands", "-@all":
		s.all(false)
	default:
		return s.applyMark(rule)
	}
	return ""
}

func (s *selector) applyMark(rule string) fault {
	name := text(rule[1:])
	switch mark := rule[0]; {
	case mark == '~' || mark == '%':
		return s.applyKeys(rule)
	case mark == '&':
		return s.applyChannel(rule[1:])
	case mark != '+' && mark != '-':
		return badSyntax
	case strings.HasPrefix(name, "@"):
		set := s.table.category(name[1:])
		if set == 0 {
			return unknownName
		}
		s.category(set, mark == '+')
	case mark == '+' && strings.Contains(name, "|"):
		return s.applyPart(name)
	default:
		id, ok := s.table.ID(name)
		if !ok {
			return unknownName
		}
		s.command(id, mark == '+')
	}
	return ""
}

// applyPart allows command|subcommand, or command|word for one that has no subcommands.
func (s *selector) applyPart(name string) fault {
	cut := strings.LastIndexByte(name, '|')
	id, ok := s.table.ID(name[:cut])
	switch {
	case !ok:
		return unknownName
	case s.table.entries[id].parent >= 0:
		return argOfSub
	case cut == len(name)-1:
		return badSyntax
	case len(s.table.entries[id].subs) == 0:
		s.firstArg(id, name[cut+1:])
		return ""
	}
	if id, ok = s.table.ID(name); !ok {
		return unknownName
	}
	s.command(id, true)
	return ""
}

func (s *selector) applyChannel(pattern string) fault {
	switch {
	case s.allChannels:
		return afterAllChans
	case hasSpace(pattern):
		return badSyntax
	case !slices.Contains(s.channels, pattern):
		s.channels = append(s.channels, pattern)
	}
	return ""
}

// applyKeys takes "~pattern" and "%R~pattern".
func (s *selector) applyKeys(rule string) fault {
	if s.allKeys {
		return afterAllKeys
	}
	p := keyPattern{pattern: rule[1:], read: true, write: true}
	if rule[0] == '%' {
		var ok bool
		if p, ok = parseKeys(rule[1:]); !ok {
			return badSyntax
		}
	}
	if hasSpace(p.pattern) {
		return badSyntax
	}
	s.keyPattern(p)
	return ""
}

// parseKeys reads what follows the %: R and W, each once at most, up to a ~. Where there is no ~, 7.0.15 takes the empty pattern.
func parseKeys(rule string) (p keyPattern, ok bool) {
	for i := 0; i < len(rule); i++ {
		switch c := rule[i] &^ 0x20; {
		case c == 'R' && !p.read:
			p.read = true
		case c == 'W' && !p.write:
			p.write = true
		case rule[i] == '~':
			p.pattern = rule[i+1:]
			return p, p.read || p.write
		default:
			return p, false
		}
	}
	return p, p.read || p.write
}

// hasSpace reports whether a word has what would end it in a line, or a zero byte.
func hasSpace(word string) bool {
	for i := range len(word) {
		if syntax.IsSpace(word[i]) || word[i] == 0 {
			return true
		}
	}
	return false
}
