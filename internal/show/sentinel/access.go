package sentinel

import (
	"bytes"
	"slices"
	"strconv"
	"time"

	"redkeep/internal/speak/acl"
)

// Who may ask for what. Users are the caller's: they are changed by ACL here, and by whoever reads a configuration elsewhere.

// UserFile is a file of users (aclfile). Each call answers exactly once, on the face's goroutine: from within the call, or later.
type UserFile interface {
	// Name is the file's path, for errors.
	Name() string
	Read(answer func(UserText))
	Write(text string, answer func(error))
}

// UserText is what was read.
type UserText struct {
	Text string
	Err  error
}

// makeRules numbers the commands.
func makeRules(table map[string]*command) *acl.Table {
	var all []acl.Command
	for _, c := range table {
		all = append(all, c.rule())
	}
	made, err := acl.NewTable(categories, all)
	if err != nil {
		panic(err) // the table is a constant, and so is what is wrong with it
	}
	for _, c := range table {
		c.id, _ = made.ID(c.fullName())
		for _, s := range c.subs {
			s.id, _ = made.ID(s.fullName())
		}
	}
	return made
}

// rule is a command as rules see it.
func (c *command) rule() acl.Command {
	made := acl.Command{Name: c.name, Arity: c.arity, Categories: c.categories(), Free: c.is("no_auth")}
	switch c.name {
	case "publish":
		made.Channels = acl.Channels{First: 1, Last: 1}
	case "subscribe":
		made.Channels = acl.Channels{First: 1, Last: -1}
	case "psubscribe":
		made.Channels = acl.Channels{First: 1, Last: -1, Patterns: true}
	}
	for _, s := range c.subs {
		made.Subs = append(made.Subs, s.rule())
	}
	return made
}

// denied returns the error for a request that the client may not make, and remembers that it was made; "" where it may.
func (c *Client) denied(found *command, request [][]byte) string {
	if c.stranger() && !c.face.dialect.rules.Free(found.id) {
		return acl.NoAuth.Error()
	}
	v := c.user.Check(found.id, request)
	if v.Denied == acl.Allowed {
		return ""
	}
	object := found.fullName()
	if v.Denied != acl.DeniedCommand {
		object = string(request[v.At])
	}
	c.remember(v.Denied, object, c.user.Name())
	return v.Refusal(found.fullName()).Error()
}

func (c *Client) remember(why acl.Reason, object, username string) {
	c.face.denials.Note(acl.Entry{Reason: why, Object: object, Username: username, At: time.Now(), Client: c.line()})
}

// stranger reports whether the client has to say who it is. Whoever came when that was not asked for need not.
func (c *Client) stranger() bool { return !c.known && !c.face.users.Open() }

// login makes the client a user, and reports whether the password was right.
func (c *Client) login(name, password string) bool {
	u := c.face.users.Authenticate(name, password)
	if u == nil {
		c.remember(acl.DeniedAuth, c.typed(0), name)
		return false
	}
	c.user, c.known = u, true
	return true
}

// typed is a word of the request that is being answered, as it was typed.
func (c *Client) typed(i int) string { return string(c.batch.words[i]) }

// hit closes the connections that a change of users concerns. Whoever has made it gets the reply first.
func (c *Client) hit(e acl.Effect) {
	for o := range c.face.clients {
		switch {
		case !slices.Contains(e.Ended, o.user) && (e.Narrowed == nil || o.user != e.Narrowed || !o.overhears()):
		case o == c:
			c.leaving = true // whoever sends the reply closes it, too
		default:
			o.expel(false)
		}
	}
}

// overhears reports whether the client listens to something that its user may not hear any more.
func (c *Client) overhears() bool {
	for name := range c.channels {
		if !c.user.Hears(name, false) {
			return true
		}
	}
	for name := range c.patterns {
		if !c.user.Hears(name, true) {
			return true
		}
	}
	return false
}

// A request of a stranger is bounded as with Redis: enough for AUTH and HELLO.
const (
	strangerWords = 10
	strangerBytes = 16 << 10
)

// tooMuch returns what a stranger is told whose next request, of which so much has come, is larger than that; "" if it is not.
func tooMuch(b []byte) string {
	line, rest, whole := bytes.Cut(bytes.TrimLeft(b, "\r\n"), []byte("\r\n"))
	if !whole || len(line) == 0 || line[0] != '*' {
		return ""
	}
	words, err := strconv.Atoi(string(line[1:]))
	if err == nil && words > strangerWords {
		return "unauthenticated multibulk length"
	}
	for range words {
		if line, rest, whole = bytes.Cut(rest, []byte("\r\n")); !whole || len(line) == 0 || line[0] != '$' {
			return ""
		}
		size, err := strconv.Atoi(string(line[1:]))
		switch {
		case err != nil || size < 0:
			return ""
		case size > strangerBytes:
			return "unauthenticated bulk length"
		case size+2 > len(rest):
			return ""
		}
		rest = rest[size+2:]
	}
	return ""
}
