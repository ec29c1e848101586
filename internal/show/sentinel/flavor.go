package sentinel

import (
	"maps"
	"slices"
	"strings"

	"redkeep/internal/speak/acl"
)

// Flavor is the release whose commands, tables and words a face has. Tools compare tables, so a face has none of a later one
// unless it is to.
type Flavor int

// The flavors, each with all that the ones before it have.
const (
	// Redis70 is Redis Sentinel 7.0: 15 commands, 72 names with all subcommands.
	Redis70 Flavor = iota
	// Redis72 has CLIENT SETINFO, and several settings in one SENTINEL CONFIG.
	Redis72
	// Valkey8 calls masters primaries, too.
	Valkey8
	// Valkey9 has coordinated failovers.
	Valkey9
	flavors
)

// release is what a flavor calls itself.
type release struct {
	// server and version are told by HELLO; redis is the release of Redis that INFO tells.
	server, version, redis string
}

// releases are those of the flavors. Clients choose what they ask for by them.
var releases = [flavors]release{
	Redis70: {"redis", "7.0.15", "7.0.15"},
	Redis72: {"redis", "7.2.4", "7.2.4"},
	Valkey8: {"valkey", "8.0.0", "7.2.4"},
	Valkey9: {"valkey", "9.0.0", "7.2.4"},
}

// dialect is what there is in one flavor.
type dialect struct {
	flavor   Flavor
	commands map[string]*command
	// typed are the commands by what clients call them, which differs where commands are renamed.
	typed    map[string]*command
	rules    *acl.Table
	settings []Setting
}

// dialects are those of the flavors. The commands answer from them, so they can't be made where they are declared.
var dialects [flavors]*dialect

func init() {
	for f := range flavors {
		commands := makeTable(f)
		dialects[f] = &dialect{flavor: f, commands: commands, typed: commands, rules: makeRules(commands), settings: settingsOf(f)}
	}
}

// renamed returns the dialect with some commands called otherwise, by their own names in small letters; "" takes one away.
func (d *dialect) renamed(names map[string]string) *dialect {
	if len(names) == 0 {
		return d
	}
	own := *d
	own.commands, own.typed = maps.Clone(d.commands), maps.Clone(d.commands)
	for name := range names {
		delete(own.typed, name)
	}
	for name, now := range names {
		if now == "" {
			delete(own.commands, name)
		} else if found := d.commands[name]; found != nil {
			own.typed[now] = found
		}
	}
	return &own
}

// Rules returns the commands that access rules of a face of the flavor are about: its Config's Users must be made with them.
func (f Flavor) Rules() *acl.Table { return dialects[f].rules }

// find returns the command, or the subcommand, of the name that COMMAND takes ("sentinel|myid") and clients call it by; nil where there is
// none.
func (d *dialect) find(name string) *command {
	top, of, isSub := strings.Cut(strings.ToLower(name), "|")
	c := d.typed[top]
	if c == nil || !isSub {
		return c
	}
	return c.parts[of]
}

// every calls do for all commands and subcommands, in the order of their names.
func (d *dialect) every(do func(*command)) {
	for _, name := range d.names() {
		do(d.commands[name])
		for _, s := range d.commands[name].subs {
			do(s)
		}
	}
}

// names are those of the commands, in their order.
func (d *dialect) names() []string {
	names := make([]string, 0, len(d.commands))
	for name := range d.commands {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
