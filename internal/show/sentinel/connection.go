package sentinel

import (
	"bytes"
	"strconv"
	"strings"

	"redkeep/internal/speak/acl"
)

// The commands about the connection itself.

const badName = "ERR Client names cannot contain spaces, newlines or special characters."

// maxName is the longest name that a client may give itself.
const maxName = 256

func (c *Client) ping(args [][]byte, r *reply) {
	switch {
	case len(args) > 1:
		r.error(wrongArity(c.face.dialect.commands["ping"]))
	case !c.resp3 && c.subscriptions() > 0:
		r.array(2)
		r.bulk("pong")
		r.bytes(bytes.Join(args, nil))
	case len(args) == 1:
		r.bytes(args[0])
	default:
		r.simple("PONG")
	}
}

// auth makes the client a user: the default one, where it gives no name.
func (c *Client) auth(args []string, r *reply) {
	switch {
	case len(args) > 2:
		r.error(syntaxError)
		return
	case len(args) == 2:
	case c.face.users.Default().NeedsNone():
		r.error(acl.NoPassword.Error())
		return
	default:
		args = []string{acl.DefaultUser, args[0]}
	}
	if !c.login(args[0], args[1]) {
		r.error(acl.WrongPass.Error())
		return
	}
	r.ok()
}

// hello may say who the client is and what it calls itself; each is so at once, though what follows may be wrong.
func (c *Client) hello(args []string, r *reply) {
	resp3 := c.resp3
	if len(args) > 0 {
		version, ok := integer(args[0])
		switch {
		case !ok:
			r.error("ERR Protocol version is not an integer or out of range")
			return
		case version != 2 && version != 3:
			r.error("NOPROTO unsupported protocol version")
			return
		}
		resp3 = version == 3
		args = args[1:]
	}
	if problem := c.helloOptions(args); problem != "" {
		r.error(problem)
		return
	}
	if !c.known {
		r.error(acl.NoAuthHello.Error())
		return
	}
	c.resp3, r.resp3 = resp3, resp3
	c.greet(r)
}

func (c *Client) helloOptions(args []string) (problem string) {
	for len(args) > 0 {
		switch option := strings.ToLower(args[0]); {
		case option == "auth" && len(args) >= 3:
			if !c.login(args[1], args[2]) {
				return acl.WrongPass.Error()
			}
			args = args[3:]
		case option == "setname" && len(args) >= 2:
			if !validName(args[1]) {
				return badName
			}
			c.name, args = args[1], args[2:]
		default:
			return "ERR Syntax error in HELLO option '" + shown(args[0]) + "'"
		}
	}
	return ""
}

// greet answers a HELLO that went well.
func (c *Client) greet(r *reply) {
	r.dict(6)
	is := releases[c.face.dialect.flavor]
	r.strings("server", is.server, "version", is.version, "proto")
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

func (c *Client) role(_ []string, r *reply) {
	names := c.face.source.Names()
	r.array(2)
	r.bulk("sentinel")
	r.array(len(names))
	r.strings(names...)
}

// shutdown ends the process, if its source will. There is nothing to be saved, so it does not matter which words are given.
func (c *Client) shutdown(args []string, r *reply) {
	var save, nosave, abort bool
	for _, a := range args {
		switch strings.ToLower(a) {
		case "nosave":
			nosave = true
		case "save":
			save = true
		case "now", "force":
		case "abort":
			abort = true
		default:
			r.error(syntaxError)
			return
		}
	}
	switch {
	case save && nosave, abort && len(args) > 1:
		r.error(syntaxError)
	case abort:
		r.error("ERR No shutdown in progress.")
	default:
		c.face.source.Shutdown(awaits(c, r, (*reply).refuse))
	}
}

func itoa[T ~int | ~int64 | ~uint16 | ~uint64](n T) string {
	return strconv.FormatUint(uint64(max(n, 0)), 10)
}
