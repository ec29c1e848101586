package sentinel

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"redkeep/internal/speak/acl"
	"redkeep/internal/speak/resp"
)

// The subcommands of ACL. What rules mean is speak/acl's; here are the shapes of replies, and what a change does to connections.

func (c *Client) aclWhoAmI(_ []string, r *reply) { r.bulk(c.user.Name()) }

func (c *Client) aclUsers(_ []string, r *reply) { r.list(c.face.users.Names()) }

func (c *Client) aclList(_ []string, r *reply) { r.list(c.face.users.List()) }

func (r *reply) list(all []string) {
	r.array(len(all))
	r.strings(all...)
}

func (c *Client) aclGetUser(args []string, r *reply) {
	u := c.face.users.Find(args[0])
	if u == nil {
		r.null()
		return
	}
	d := u.Describe()
	r.dict(6)
	r.bulk("flags")
	r.set(len(d.Flags))
	r.strings(d.Flags...)
	r.bulk("passwords")
	r.list(d.Passwords)
	r.strings("commands", d.Commands, "keys", d.Keys, "channels", d.Channels, "selectors")
	r.array(len(d.Selectors))
	for _, s := range d.Selectors {
		r.dict(3)
		r.strings("commands", s.Commands, "keys", s.Keys, "channels", s.Channels)
	}
}

// tooMany refuses a second argument of the subcommands that have one at most, and reports whether it did.
func (c *Client) tooMany(args []string, r *reply) bool {
	if len(args) > 1 {
		r.error(c.oddSubcommand())
	}
	return len(args) > 1
}

func (c *Client) aclCat(args []string, r *reply) {
	switch {
	case c.tooMany(args, r):
	case len(args) == 0:
		r.list(categories)
	default:
		names, err := c.face.users.Category(args[0])
		if err != nil {
			r.error(err.Error())
			return
		}
		r.list(names)
	}
}

func (c *Client) aclGenPass(args []string, r *reply) {
	if c.tooMany(args, r) {
		return
	}
	password, err := acl.GenPass(func(b []byte) { _, _ = rand.Read(b) }, args...) // it never fails
	if err != nil {
		r.error(err.Error())
		return
	}
	r.bulk(password)
}

func (c *Client) aclLog(args []string, r *reply) {
	if c.tooMany(args, r) {
		return
	}
	if len(args) == 1 && strings.EqualFold(args[0], "reset") {
		c.face.denials.Reset()
		r.ok()
		return
	}
	entries, err := c.face.denials.Newest(args...)
	if err != nil {
		r.error(err.Error())
		return
	}
	now := time.Now()
	r.array(len(entries))
	for _, e := range entries {
		r.dict(7)
		r.bulk("count")
		r.integer(e.Count)
		r.strings("reason", e.Reason.String(), "context", e.Context(), "object", e.Object, "username", e.Username, "age-seconds")
		r.double(e.Age(now))
		r.strings("client-info", e.Client)
	}
}

func (c *Client) aclDryRun(args []string, r *reply) {
	found := c.face.dialect.typed[strings.ToLower(args[1])]
	known := found != nil && (len(found.parts) == 0 || len(args) < 3 || found.parts[strings.ToLower(args[2])] != nil)
	if !known && c.face.users.Find(args[0]) != nil {
		r.error("ERR Command '" + shown(args[1]) + "' not found")
		return
	}
	if found != nil {
		args[1] = found.name // the rules know nothing of names that were changed
	}
	denied, err := c.face.users.DryRun(args[0], args[1:])
	switch {
	case err != nil:
		r.error(err.Error())
	case denied != "":
		r.bulk(denied)
	default:
		r.ok()
	}
}

// fixed refuses to change users where they are not to be changed, and reports whether it did.
func (c *Client) fixed(r *reply) bool {
	if c.face.config.Users == nil {
		r.error("ERR users can't be changed here: this port has one user, default; its password is listen_password in redkeep.yaml, the same on every node")
	}
	return c.face.config.Users == nil
}

func (c *Client) aclSetUser(args []string, r *reply) {
	if c.fixed(r) {
		return
	}
	effect, err := c.face.users.SetUser(args[0], args[1:])
	if err != nil {
		r.error(err.Error())
		return
	}
	c.hit(effect)
	r.ok()
}

func (c *Client) aclDelUser(args []string, r *reply) {
	if c.fixed(r) {
		return
	}
	n, effect, err := c.face.users.DelUser(args)
	if err != nil {
		r.error(err.Error())
		return
	}
	c.hit(effect)
	r.integer(int64(n))
}

func (c *Client) aclSave(_ []string, r *reply) {
	file := c.face.config.UserFile
	switch {
	case c.fixed(r):
	case file == nil:
		r.error(acl.NoFile.Error())
	default:
		file.Write(c.face.users.Save(), awaits(c, r, func(r *reply, err error) {
			if err != nil {
				r.error(acl.NotSaved.Error())
				return
			}
			r.ok()
		}))
	}
}

func (c *Client) aclLoad(_ []string, r *reply) {
	file := c.face.config.UserFile
	switch {
	case c.fixed(r):
	case file == nil:
		r.error(acl.NoFile.Error())
	default:
		file.Read(awaits(c, r, func(r *reply, read UserText) {
			effect, err := acl.Effect{}, read.Err
			if err != nil {
				err = unread(file.Name(), err)
			} else {
				effect, err = c.face.users.Load(file.Name(), read.Text)
			}
			if err != nil {
				r.error(err.Error())
				return
			}
			r.ok()
			c.hit(effect)
		}))
	}
}

// unread words the error about a file that can't be read: the reason begins with a capital there.
func unread(name string, err error) error {
	reason := err.Error()
	if bad := (*fs.PathError)(nil); errors.As(err, &bad) {
		reason = bad.Err.Error()
	}
	if reason != "" {
		reason = strings.ToUpper(reason[:1]) + reason[1:]
	}
	return acl.Refusal("ERR Error loading ACLs, opening file '" + name + "': " + reason)
}

// double answers with a number that is no integer: RESP2 has strings for that.
func (r *reply) double(f float64) {
	if r.resp3 {
		r.buf = resp.AppendDouble(r.buf, f)
		return
	}
	r.bulk(strconv.FormatFloat(f, 'g', 17, 64))
}
