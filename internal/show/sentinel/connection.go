package sentinel

import (
	"strconv"
	"strings"
)

// The commands about the connection itself. The face has one user without a password, as redis-sentinel has by default.

// redisVersion is the release of Sentinel whose replies these are; clients choose what they ask for by it.
const redisVersion = "7.0.15"

// Errors about who a client is and what it calls itself; client libraries turn the first two into errors of their own by their text.
const (
	noPassword = "ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?"
	wrongPass  = "WRONGPASS invalid username-password pair or user is disabled."
	badName    = "ERR Client names cannot contain spaces, newlines or special characters."
)

// theUser is the only user.
const theUser = "default"

// maxName is the longest name that a client may give itself.
const maxName = 256

func (c *client) ping(args []string, r *reply) {
	switch {
	case len(args) > 1:
		r.error(wrongArity(table["ping"]))
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
	case len(args) > 2:
		r.error(syntaxError)
	case len(args) == 1:
		r.error(noPassword)
	case args[0] == theUser:
		r.ok()
	default:
		r.error(wrongPass)
	}
}

func (c *client) hello(args []string, r *reply) {
	resp3 := c.resp3
	if len(args) > 0 {
		version, err := strconv.ParseInt(args[0], 10, 64)
		switch {
		case err != nil:
			r.error("ERR Protocol version is not an integer or out of range")
			return
		case version != 2 && version != 3:
			r.error("NOPROTO unsupported protocol version")
			return
		}
		resp3 = version == 3
		args = args[1:]
	}
	name, problem := c.helloOptions(args)
	if problem != "" {
		r.error(problem)
		return
	}
	c.resp3, r.resp3 = resp3, resp3
	c.mu.Lock()
	c.seen.name, c.seen.resp3 = name, resp3
	c.mu.Unlock()
	c.greet(r)
}

// helloOptions returns the name that the client has from now on.
func (c *client) helloOptions(args []string) (name, problem string) {
	name = c.look().name
	for len(args) > 0 {
		switch option := strings.ToLower(args[0]); {
		case option == "auth" && len(args) >= 3:
			if args[1] != theUser {
				return "", wrongPass
			}
			args = args[3:]
		case option == "setname" && len(args) >= 2:
			if !validName(args[1]) {
				return "", badName
			}
			name, args = args[1], args[2:]
		default:
			return "", "ERR Syntax error in HELLO option '" + short(args[0]) + "'"
		}
	}
	return name, ""
}

// greet answers a HELLO that went well.
func (c *client) greet(r *reply) {
	r.dict(6)
	r.strings("server", "redis", "version", redisVersion, "proto")
	r.integer(protocol(c.resp3))
	r.bulk("id")
	r.integer(c.id)
	r.strings("mode", "sentinel", "modules")
	r.array(0)
}

// protocol is the version of RESP.
func protocol(resp3 bool) int64 {
	if resp3 {
		return 3
	}
	return 2
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

func (c *client) role(_ []string, r *reply) {
	groups := c.face.config.Picture().Groups
	r.array(2)
	r.bulk("sentinel")
	r.array(len(groups))
	for _, g := range groups {
		r.bulk(string(g.Name))
	}
}

// shutdown refuses: who may reach this port is not who may stop the agent.
func (c *client) shutdown(args []string, r *reply) {
	for _, a := range args {
		switch strings.ToLower(a) {
		case "nosave", "save", "now", "force", "abort":
		default:
			r.error(syntaxError)
			return
		}
	}
	r.error("ERR SHUTDOWN is refused: stop the agent on its host (systemctl stop redkeep), it hands its masters over first")
}

func itoa[T ~int | ~int64 | ~uint16 | ~uint64](n T) string {
	return strconv.FormatUint(uint64(max(n, 0)), 10)
}
