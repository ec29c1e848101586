package acl

import (
	"maps"
	"slices"
	"strings"

	"redkeep/internal/syntax"
)

// selector is one set of permissions. A user has one, and may have more; what one of them allows in full is allowed.
type selector struct {
	table *Table
	// commands are those that are allowed, future whether those of later releases would be: the printed rules then start with +@all.
	commands []uint64
	future   bool
	// firstArgs are the words with which a command is allowed that is not, otherwise.
	firstArgs map[ID][]string
	// allKeys and allChannels are wider than any pattern; the lists are empty then.
	allKeys, allChannels bool
	keys                 []keyPattern
	channels             []string
}

// keyPattern is a pattern of keys, and what may be done with those that match.
type keyPattern struct {
	pattern     string
	read, write bool
}

func newSelector(t *Table, allChannels bool) selector {
	return selector{table: t, commands: make([]uint64, (len(t.entries)+63)/64), allChannels: allChannels}
}

func (s *selector) clone() selector {
	c := *s
	c.commands, c.keys, c.channels = slices.Clone(s.commands), slices.Clone(s.keys), slices.Clone(s.channels)
	c.firstArgs = maps.Clone(s.firstArgs)
	for id, words := range c.firstArgs {
		c.firstArgs[id] = slices.Clone(words)
	}
	return c
}

func (s *selector) allows(id ID) bool { return s.commands[id/64]&(1<<(id%64)) != 0 }

// all allows every command, or none.
func (s *selector) all(allow bool) {
	fill := uint64(0)
	if allow {
		fill = ^fill
	}
	for i := range s.commands {
		s.commands[i] = fill
	}
	s.future, s.firstArgs = allow, nil
}

// command allows a command with its subcommands, or forbids them.
func (s *selector) command(id ID, allow bool) {
	if allow {
		s.commands[id/64] |= 1 << (id % 64)
	} else {
		s.commands[id/64] &^= 1 << (id % 64)
	}
	delete(s.firstArgs, id)
	for _, sub := range s.table.entries[id].subs {
		s.command(sub, allow)
	}
}

// category allows all commands that are in the set of categories, or forbids them.
func (s *selector) category(set uint64, allow bool) {
	for i := range s.table.entries {
		if s.table.entries[i].categories&set != 0 {
			s.command(ID(i), allow)
		}
	}
}

// firstArg allows a command with one first word.
func (s *selector) firstArg(id ID, word string) {
	if slices.ContainsFunc(s.firstArgs[id], func(w string) bool { return strings.EqualFold(w, word) }) {
		return
	}
	if s.firstArgs == nil {
		s.firstArgs = map[ID][]string{}
	}
	s.firstArgs[id] = append(s.firstArgs[id], word)
}

// keyPattern adds a pattern of keys, or widens what may be done with one.
func (s *selector) keyPattern(p keyPattern) {
	i := slices.IndexFunc(s.keys, func(k keyPattern) bool { return k.pattern == p.pattern })
	if i < 0 {
		s.keys = append(s.keys, p)
		return
	}
	s.keys[i].read = s.keys[i].read || p.read
	s.keys[i].write = s.keys[i].write || p.write
}

// unlimited reports whether the selector allows everything.
func (s *selector) unlimited() bool {
	if !s.allKeys || !s.allChannels {
		return false
	}
	for i := range s.table.entries {
		if !s.allows(ID(i)) {
			return false
		}
	}
	return true
}

// hears reports whether a channel may be listened to, or published on; a pattern must be allowed as it is.
func (s *selector) hears(name string, pattern bool) bool {
	if s.allChannels {
		return true
	}
	for _, c := range s.channels {
		if pattern && c == name || !pattern && syntax.Match(c, name) {
			return true
		}
	}
	return false
}

// touches reports whether that may be done with a key.
func (s *selector) touches(key string, read, write bool) bool {
	for _, k := range s.keys {
		if (k.read || !read) && (k.write || !write) && syntax.Match(k.pattern, key) {
			return true
		}
	}
	return s.allKeys
}
