package sentinel

import (
	"slices"
	"strings"

	"redkeep/internal/syntax"
)

// COMMAND and its subcommands, with which tools and client libraries find out what there is.

// commandAll answers COMMAND without a subcommand.
func (c *Client) commandAll(_ []string, r *reply) {
	d := c.face.dialect
	names := d.names()
	r.array(len(names))
	for _, name := range names {
		r.command(d.commands[name])
	}
}

func (c *Client) commandInfo(names []string, r *reply) {
	if len(names) == 0 {
		c.commandAll(nil, r)
		return
	}
	r.array(len(names))
	for _, name := range names {
		if found := c.face.dialect.find(name); found != nil {
			r.command(found)
		} else {
			r.null() // a nil string, though an array is what it stands for: so says redis-sentinel
		}
	}
}

// command tells one command in the ten fields of Redis 7.0.
func (r *reply) command(c *command) {
	r.array(10)
	r.bulk(c.fullName())
	r.integer(int64(c.arity))
	r.statuses("", strings.Fields(c.flags))
	for range 3 {
		r.integer(0) // no command here has a key
	}
	r.statuses("@", c.categories())
	tips := strings.Fields(c.tips)
	r.set(len(tips))
	r.strings(tips...)
	r.set(0)
	r.subcommands(c.subs)
}

func (r *reply) subcommands(subs []*command) {
	if len(subs) == 0 {
		r.set(0)
		return
	}
	r.array(len(subs))
	for _, s := range subs {
		r.command(s)
	}
}

// statuses tells a set of simple strings.
func (r *reply) statuses(prefix string, all []string) {
	r.set(len(all))
	for _, s := range all {
		r.simple(prefix + s)
	}
}

func (c *Client) commandCount(_ []string, r *reply) { r.integer(int64(len(c.face.dialect.commands))) }

func (c *Client) commandList(args []string, r *reply) {
	keep := func(*command) bool { return true }
	switch {
	case len(args) == 0:
	case len(args) != 3 || !strings.EqualFold(args[0], "filterby"):
		r.error(syntaxError)
		return
	case strings.EqualFold(args[1], "module"):
		keep = func(*command) bool { return false }
	case strings.EqualFold(args[1], "aclcat"):
		keep = func(c *command) bool { return slices.Contains(c.categories(), strings.ToLower(args[2])) }
	case strings.EqualFold(args[1], "pattern"):
		keep = func(c *command) bool { return syntax.MatchFold(args[2], c.fullName()) }
	default:
		r.error(syntaxError)
		return
	}
	r.names(c.face.dialect, keep)
}

// names tells the names of the commands and subcommands that keep takes.
func (r *reply) names(d *dialect, keep func(*command) bool) {
	var names []string
	d.every(func(c *command) {
		if keep(c) {
			names = append(names, c.fullName())
		}
	})
	r.array(len(names))
	r.strings(names...)
}

// commandKeys answers COMMAND GETKEYS and GETKEYSANDFLAGS: no command here has a key.
func (c *Client) commandKeys(args []string, r *reply) {
	found := c.face.dialect.typed[strings.ToLower(args[0])]
	if found == nil {
		r.error("ERR Invalid command specified")
		return
	}
	if len(found.subs) > 0 && len(args) > 1 && found.parts[strings.ToLower(args[1])] == nil {
		r.error("ERR Invalid command specified")
		return
	}
	r.error("ERR The command has no key arguments")
}

func (c *Client) commandHelp(_ []string, r *reply)  { c.help("command", r) }
func (c *Client) sentinelHelp(_ []string, r *reply) { c.help("sentinel", r) }
func (c *Client) clientHelp(_ []string, r *reply)   { c.help("client", r) }
func (c *Client) aclHelp(_ []string, r *reply)      { c.help("acl", r) }

// help tells the subcommands of a container for people, from the table, by the name that it was asked by.
func (c *Client) help(name string, r *reply) {
	subs := c.face.dialect.commands[name].subs
	r.array(1 + 2*len(subs))
	r.simple(strings.ToUpper(c.typed(0)) + " <subcommand> [<arg> [value] [opt] ...]. Subcommands are:")
	for _, s := range subs {
		r.simple(strings.ToUpper(s.name))
		r.simple("    " + s.about + ".")
	}
}
