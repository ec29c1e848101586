package acl

import (
	"fmt"
	"slices"
	"strings"
)

// Command is one that rules may name.
type Command struct {
	// Name is in lower case; a subcommand's is without its container's.
	Name string
	// Arity is how many words a request has; where it is negative, at least as many as that.
	Arity int
	// Categories are of the table's. A rule about a category of a container is about all of its subcommands, too.
	Categories []string
	// Free says that every user may run it, as with AUTH and HELLO.
	Free bool
	// Channels and Keys are the words of a request that name such. The zero value is none.
	Channels Channels
	Keys     Keys
	Subs     []Command
}

// Channels are the words of a request that are names of channels, or patterns of such.
type Channels struct {
	// First and Last are places in the request, of which the command's name is 0. A Last of -1 is the request's last word.
	First, Last int
	Patterns    bool
}

// Keys are the words of a request that are keys, every Step of them, and what is done with them.
type Keys struct {
	First, Last, Step int
	Read, Write       bool
}

// ID is the place of a command in its table.
type ID int

// entry is a command with what the rules need of it.
type entry struct {
	Command
	// full is how rules and errors call it: "client|kill".
	full       string
	categories uint64
	// subs are those of a container, in the order of their names; parent is its container, or -1.
	subs   []ID
	parent ID
}

// Table is the commands and categories that there are. It does not change.
type Table struct {
	categories []string
	entries    []entry
	// tops are the commands that are no subcommands, in the order of their names.
	tops []ID
	by   map[string]ID
}

// maxCategories is how many a set of them has room for.
const maxCategories = 64

// NewTable makes a table. The categories are in the order in which ACL CAT tells them, which decides, too, how rules are
// printed. It refuses a name that is there twice, and a category that is not among those given.
func NewTable(categories []string, commands []Command) (*Table, error) {
	if len(categories) > maxCategories {
		return nil, fmt.Errorf("make table: %d categories are more than %d", len(categories), maxCategories)
	}
	t := &Table{categories: slices.Clone(categories), by: map[string]ID{}}
	for _, c := range sorted(commands) {
		id, err := t.add(c, "", -1)
		if err != nil {
			return nil, err
		}
		t.tops = append(t.tops, id)
	}
	return t, nil
}

func sorted(commands []Command) []Command {
	commands = slices.Clone(commands)
	slices.SortFunc(commands, func(a, b Command) int { return strings.Compare(a.Name, b.Name) })
	return commands
}

func (t *Table) add(c Command, prefix string, parent ID) (ID, error) {
	e := entry{Command: c, full: prefix + c.Name, parent: parent}
	if _, twice := t.by[e.full]; twice {
		return 0, fmt.Errorf("make table: command %s is there twice", e.full)
	}
	for _, name := range c.Categories {
		i := slices.Index(t.categories, name)
		if i < 0 {
			return 0, fmt.Errorf("make table: category %s of command %s is unknown", name, e.full)
		}
		e.categories |= 1 << i
	}
	id := ID(len(t.entries))
	t.entries = append(t.entries, e)
	t.by[e.full] = id
	for _, s := range sorted(c.Subs) {
		of, err := t.add(s, e.full+"|", id)
		if err != nil {
			return 0, err
		}
		t.entries[id].subs = append(t.entries[id].subs, of)
	}
	return id, nil
}

// ID returns the place of a command by its whole name, "ping" or "client|kill", in any case.
func (t *Table) ID(name string) (ID, bool) {
	id, ok := t.by[strings.ToLower(name)]
	return id, ok
}

// Categories returns the names of all categories, as ACL CAT does. It must not be changed.
func (t *Table) Categories() []string { return t.categories }

// Free reports whether every user may run a command, and who has not authenticated too.
func (t *Table) Free(id ID) bool { return t.entries[id].Free }

// Category returns the whole names of the commands of a category, as ACL CAT with an argument does, and false for one that there is not.
func (t *Table) Category(name string) ([]string, bool) {
	set := t.category(name)
	if set == 0 {
		return nil, false
	}
	var names []string
	for _, e := range t.entries {
		if e.categories&set != 0 {
			names = append(names, e.full)
		}
	}
	return names, true
}

// category returns the set of the one category of that name, in any case, or 0.
func (t *Table) category(name string) uint64 {
	i := slices.IndexFunc(t.categories, func(c string) bool { return strings.EqualFold(c, name) })
	if i < 0 {
		return 0
	}
	return 1 << i
}

// requested returns the command that a request asks for: a container's subcommand where it has a second word.
func (t *Table) requested(request []string) (ID, bool) {
	top, ok := t.ID(request[0])
	switch {
	case !ok || t.entries[top].parent >= 0:
		return 0, false
	case len(request) == 1 || len(t.entries[top].subs) == 0:
		return top, true
	default:
		return t.ID(t.entries[top].full + "|" + request[1])
	}
}
