package sentinel

import (
	"crypto/rand"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
)

// The subcommands of ACL, for a face that has one user, who needs no password and may do everything. Rules are not kept.

func (c *Client) aclWhoAmI(_ []string, r *reply) { r.bulk(theUser) }

func (c *Client) aclUsers(_ []string, r *reply) {
	r.array(1)
	r.bulk(theUser)
}

func (c *Client) aclList(_ []string, r *reply) {
	r.array(1)
	r.bulk("user " + theUser + " on nopass ~* &* +@all")
}

func (c *Client) aclGetUser(args []string, r *reply) {
	if args[0] != theUser {
		r.null()
		return
	}
	r.dict(6)
	r.bulk("flags")
	r.set(2)
	r.strings("on", "nopass", "passwords")
	r.array(0)
	r.strings("commands", "+@all", "keys", "~*", "channels", "&*", "selectors")
	r.array(0)
}

func (c *Client) aclCat(args []string, r *reply) {
	switch {
	case len(args) == 0:
		r.array(len(categories))
		r.strings(categories...)
	case len(args) > 1:
		r.error("ERR unknown subcommand or wrong number of arguments for 'cat'. Try ACL HELP.")
	case !slices.Contains(categories, strings.ToLower(args[0])):
		r.error("ERR Unknown category '" + short(args[0]) + "'")
	default:
		r.names(func(c *command) bool { return slices.Contains(c.categories(), strings.ToLower(args[0])) })
	}
}

// maxBits is the longest password of ACL GENPASS.
const maxBits = 4096

func (c *Client) aclGenPass(args []string, r *reply) {
	bits := 256
	if len(args) > 0 {
		n, err := strconv.Atoi(args[0])
		if len(args) > 1 || err != nil || n < 1 || n > maxBits {
			r.error("ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to 4096")
			return
		}
		bits = n
	}
	b := make([]byte, (bits+7)/8)
	_, _ = rand.Read(b) // never fails
	r.bulk(hex.EncodeToString(b)[:(bits+3)/4])
}

func (c *Client) aclLog(args []string, r *reply) {
	switch {
	case len(args) == 0:
		r.array(0)
	case len(args) == 1 && strings.EqualFold(args[0], "reset"):
		r.ok()
	default:
		if _, err := strconv.ParseInt(args[0], 10, 64); err != nil || len(args) > 1 {
			r.error(notInteger)
			return
		}
		r.array(0)
	}
}

func (c *Client) aclDryRun(args []string, r *reply) {
	if args[0] != theUser {
		r.error("ERR User '" + short(args[0]) + "' not found")
		return
	}
	if find(args[1]) == nil {
		r.error("ERR Command '" + short(args[1]) + "' not found")
		return
	}
	r.ok()
}

func (c *Client) aclRefuse(_ []string, r *reply) {
	r.error("ERR users can't be changed here: this port has one user, default, without a password; limit who reaches it with the host's packet filter")
}
