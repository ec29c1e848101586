package sentinel

import (
	"strconv"
	"strings"
)

// The commands about the connection itself. The face has no password: what it tells is no secret, and it changes nothing.

// redisVersion is the release of Sentinel whose replies these are; clients choose what they ask for by it.
const redisVersion = "7.0.15"

// maxName is the longest name that a client may give itself.
const maxName = 256

func (c *client) ping(args []string, r *reply) {
	switch {
	case !c.resp3 && c.subscriptions() > 0:
		r.array(2)
		r.strings("pong", strings.Join(args, ""))
	case len(args) == 1:
		r.bulk(args[0])
	default:
		r.simple("PONG")
	}
}

// auth answers as a server whose default user needs no password.
func (c *client) auth(args []string, r *reply) {
	switch {
	case len(args) == 1:
		r.error("ERR AUTH came with a password, but the default user has none here; take the password out of the client's sentinel settings")
	case args[0] == "default":
		r.ok()
	default:
		r.error("WRONGPASS there is no user of that name")
	}
}

func (c *client) hello(args []string, r *reply) {
	resp3 := c.resp3
	if len(args) > 0 {
		if args[0] != "2" && args[0] != "3" {
			r.error("NOPROTO unsupported protocol version")
			return
		}
		resp3 = args[0] == "3"
		args = args[1:]
	}
	name := c.name
	for len(args) > 0 {
		switch option := strings.ToLower(args[0]); {
		case option == "auth" && len(args) >= 3:
			if args[1] != "default" {
				r.error("WRONGPASS there is no user of that name")
				return
			}
			args = args[3:]
		case option == "setname" && len(args) >= 2:
			if !validName(args[1]) {
				r.error("ERR a client name has up to 256 printable characters and no space")
				return
			}
			name, args = args[1], args[2:]
		default:
			r.error("ERR Syntax error in HELLO option '" + args[0] + "'")
			return
		}
	}
	c.resp3, c.name, r.resp3 = resp3, name, resp3
	c.greet(r)
}

// greet answers a HELLO that went well.
func (c *client) greet(r *reply) {
	proto := int64(2)
	if c.resp3 {
		proto = 3
	}
	r.dict(6)
	r.strings("server", "redis", "version", redisVersion, "proto")
	r.integer(proto)
	r.bulk("id")
	r.integer(c.id)
	r.strings("mode", "sentinel", "modules")
	r.array(0)
}

func (c *client) client(args []string, r *reply) {
	sub := strings.ToLower(args[0])
	switch args = args[1:]; sub {
	case "id":
		if arity(r, "client|id", args, 0) {
			r.integer(c.id)
		}
	case "getname":
		switch {
		case !arity(r, "client|getname", args, 0):
		case c.name == "":
			r.null()
		default:
			r.bulk(c.name)
		}
	case "setname":
		switch {
		case !arity(r, "client|setname", args, 1):
		case !validName(args[0]):
			r.error("ERR a client name has up to 256 printable characters and no space")
		default:
			c.name = args[0]
			r.ok()
		}
	case "setinfo":
		// Sentinel 7.2 has it, and client libraries send it whatever the release.
		if arity(r, "client|setinfo", args, 2) {
			r.ok()
		}
	default:
		r.error("ERR unknown subcommand '" + sub + "'. Try CLIENT HELP.")
	}
}

// arity answers with an error unless there are n words.
func arity(r *reply, name string, args []string, n int) bool {
	if len(args) != n {
		r.error("ERR wrong number of arguments for '" + name + "' command")
		return false
	}
	return true
}

// validName reports whether a client may call itself that: CLIENT LIST has one line for each, cut at spaces.
func validName(name string) bool {
	if len(name) > maxName {
		return false
	}
	for i := range len(name) {
		if name[i] < '!' || name[i] > '~' {
			return false
		}
	}
	return true
}

// command answers what redis-cli and client libraries ask at their start.
func (c *client) command(args []string, r *reply) {
	sub := ""
	if len(args) > 0 {
		sub = strings.ToLower(args[0])
	}
	switch sub {
	case "count":
		r.integer(int64(len(commandNames)))
	case "list":
		r.array(len(commandNames))
		r.strings(commandNames...)
	case "docs":
		r.dict(0)
	case "", "info":
		// Nothing is told of arities and flags: clients then take their own defaults.
		r.array(0)
	default:
		r.error("ERR unknown subcommand '" + sub + "'. Try COMMAND HELP.")
	}
}

func (c *client) role(_ []string, r *reply) {
	groups := c.face.config.Picture().Groups
	r.array(2)
	r.bulk("sentinel")
	r.array(len(groups))
	for _, g := range groups {
		r.bulk(string(g.Name))
	}
}

func itoa[T ~int | ~int64 | ~uint16 | ~uint64](n T) string {
	return strconv.FormatUint(uint64(max(n, 0)), 10)
}
