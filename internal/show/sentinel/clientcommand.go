package sentinel

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"redkeep/internal/speak/acl"
)

// The subcommands of CLIENT. There are no keys here, so what is about keys has nothing to do.

func (c *Client) clientID(_ []string, r *reply) { r.integer(c.id) }

func (c *Client) clientGetName(_ []string, r *reply) {
	if c.name != "" {
		r.bulk(c.name)
		return
	}
	r.null()
}

func (c *Client) clientSetName(args []string, r *reply) {
	if !validName(args[0]) {
		r.error(badName)
		return
	}
	c.name = args[0]
	r.ok()
}

// clientSetInfo takes the name or the release of a client library.
func (c *Client) clientSetInfo(args []string, r *reply) {
	switch attribute := strings.ToLower(args[0]); {
	case attribute != "lib-name" && attribute != "lib-ver":
		r.error("ERR Unrecognized option '" + shown(args[0]) + "'")
	case !validName(args[1]):
		r.error("ERR " + attribute + " cannot contain spaces, newlines or special characters.")
	case attribute == "lib-name":
		c.libName = args[1]
		r.ok()
	default:
		c.libVersion = args[1]
		r.ok()
	}
}

func (c *Client) clientInfo(_ []string, r *reply) {
	r.text(c.line() + "\n")
}

// clientList answers with a line for each connection, in the order in which they came.
func (c *Client) clientList(args []string, r *reply) {
	keep := func(*Client) bool { return true }
	switch {
	case len(args) == 0:
	case len(args) == 2 && strings.EqualFold(args[0], "type"):
		kind, ok := clientKind(args[1])
		if !ok {
			r.error("ERR Unknown client type '" + shown(args[1]) + "'")
			return
		}
		keep = func(o *Client) bool { return o.kind() == kind }
	case len(args) > 1 && strings.EqualFold(args[0], "id"):
		var ids []int64
		for _, a := range args[1:] {
			id, ok := integer(a)
			if !ok {
				r.error("ERR Invalid client ID")
				return
			}
			ids = append(ids, id)
		}
		keep = func(o *Client) bool { return slices.Contains(ids, o.id) }
	default:
		r.error(syntaxError)
		return
	}
	var out strings.Builder
	for _, o := range c.face.inOrder() {
		if keep(o) {
			out.WriteString(o.line() + "\n")
		}
	}
	r.text(out.String())
}

// clientKind is a type of CLIENT LIST and KILL.
func clientKind(word string) (kind string, ok bool) {
	switch word = strings.ToLower(word); word {
	case "normal", "pubsub", "master", "replica":
		return word, true
	case "slave":
		return "replica", true
	default:
		return "", false
	}
}

// kind is the client's type.
func (c *Client) kind() string {
	if c.subscriptions() > 0 {
		return "pubsub"
	}
	return "normal"
}

// line is what CLIENT LIST tells of one connection, in Redis' order. What this process does not count has the value of an
// idle connection.
func (c *Client) line() string {
	now, flags, last := time.Now(), "", "NULL"
	remote, local := c.peer.Addrs()
	if c.kind() == "pubsub" {
		flags = "P"
	}
	if c.tracks != nil {
		flags += "t"
		if c.tracks.bcast {
			flags += "B"
		}
	}
	if remote == local {
		flags += "U" // it came by a file, which both are
	}
	if c.noEvict {
		flags += "e"
	}
	flags = cmp.Or(flags, "N")
	if c.last != nil {
		last = c.last.fullName()
	}
	seconds := func(d time.Duration) int64 { return int64(max(0, d) / time.Second) }
	is := c.face.dialect.flavor
	capa, watch := "", ""
	if is >= Valkey8 {
		watch = "watch=0 "
	}
	if is >= Valkey9 {
		capa = "capa= "
	}
	line := fmt.Sprintf("id=%d addr=%s laddr=%s fd=-1 name=%s age=%d idle=%d flags=%s %sdb=0 sub=%d psub=%d ssub=0 multi=-1 %s"+
		"qbuf=0 qbuf-free=0 argv-mem=0 multi-mem=0 rbs=0 rbp=0 obl=0 oll=0 omem=0 tot-mem=0 events=r cmd=%s user=%s redir=%d resp=%d",
		c.id, remote, local, c.name, seconds(now.Sub(c.since)), seconds(now.Sub(c.at)), flags, capa,
		len(c.channels), len(c.patterns), watch, last, c.user.Name(), c.redirect(), protocol(c.resp3))
	if is >= Redis72 {
		line += " lib-name=" + c.libName + " lib-ver=" + c.libVersion
	}
	if is >= Valkey8 {
		line += " tot-net-in=0 tot-net-out=0 tot-cmds=0"
	}
	return line
}

// killFilter is what CLIENT KILL was told.
type killFilter struct {
	id   int64
	kind string
	// addr and local are nil for any; "" is nobody's.
	addr, local *string
	user        *acl.User
	// age is the least that a connection must have, in seconds.
	age    int64
	skipMe bool
}

// clientKill closes connections: one by its address, or all that a filter names.
func (c *Client) clientKill(args []string, r *reply) {
	if len(args) == 1 {
		if c.kill(killFilter{addr: &args[0]}) == 0 {
			r.error("ERR No such client")
			return
		}
		r.ok()
		return
	}
	f, problem := c.face.parseKill(args)
	if problem != "" {
		r.error(problem)
		return
	}
	r.integer(c.kill(f))
}

func (f *Face) parseKill(args []string) (k killFilter, problem string) {
	k.skipMe = true
	for ; len(args) > 0; args = args[2:] {
		if len(args) == 1 {
			return k, syntaxError
		}
		value := args[1]
		switch strings.ToLower(args[0]) {
		case "id":
			n, ok := integer(value)
			if !ok || n < 1 {
				return k, "ERR client-id should be greater than 0"
			}
			k.id = n
		case "addr":
			k.addr = &value
		case "laddr":
			k.local = &value
		case "type":
			kind, ok := clientKind(value)
			if !ok {
				return k, "ERR Unknown client type '" + shown(value) + "'"
			}
			k.kind = kind
		case "user":
			if k.user = f.users.Find(value); k.user == nil {
				return k, "ERR No such user '" + shown(value) + "'"
			}
		case "skipme":
			if !strings.EqualFold(value, "yes") && !strings.EqualFold(value, "no") {
				return k, syntaxError
			}
			k.skipMe = strings.EqualFold(value, "yes")
		case "maxage":
			n, ok := integer(value)
			switch {
			case f.dialect.flavor < Valkey8:
				return k, syntaxError
			case !ok:
				return k, "ERR maxage is not an integer or out of range"
			case n < 1:
				return k, "ERR maxage should be greater than 0"
			}
			k.age = n
		default:
			return k, syntaxError
		}
	}
	return k, ""
}

// kill closes what the filter names, and returns how many that were. Whoever kills itself gets the reply first.
func (c *Client) kill(f killFilter) (killed int64) {
	for o := range c.face.clients {
		if !f.names(o) || f.skipMe && o == c {
			continue
		}
		o.expel(o == c)
		killed++
	}
	return killed
}

// names reports whether the filter covers a client.
func (f killFilter) names(o *Client) bool {
	remote, local := "", ""
	if f.addr != nil || f.local != nil {
		remote, local = o.peer.Addrs()
	}
	return (f.id == 0 || f.id == o.id) && (f.addr == nil || *f.addr == remote) && (f.local == nil || *f.local == local) &&
		(f.kind == "" || f.kind == o.kind()) && (f.user == nil || f.user == o.user) &&
		(f.age == 0 || int64(time.Since(o.since)/time.Second) >= f.age)
}

func (c *Client) clientNoEvict(args []string, r *reply) {
	on, ok := onOff(args[0])
	if !ok {
		r.error(syntaxError)
		return
	}
	c.noEvict = on
	r.ok()
}

func onOff(word string) (on, ok bool) {
	on = strings.EqualFold(word, "on")
	return on, on || strings.EqualFold(word, "off")
}

// clientReply holds replies back. What is published still comes, as with Redis.
func (c *Client) clientReply(args []string, r *reply) {
	switch strings.ToLower(args[0]) {
	case "on":
		c.mute = muteNone
		r.ok()
	case "off":
		c.mute = muteAll
	case "skip":
		if c.mute == muteNone {
			c.mute = muteNext
		}
	default:
		r.error(syntaxError)
	}
}

// oddSubcommand is how Redis answers a request of too many words where the command's arity allows any number.
func (c *Client) oddSubcommand() string {
	return "ERR unknown subcommand or wrong number of arguments for '" + short(c.typed(1)) + "'. Try " + strings.ToUpper(c.typed(0)) + " HELP."
}

func (c *Client) clientUnblock(args []string, r *reply) {
	_, ok := integer(args[0])
	switch {
	case len(args) > 2:
		r.error(c.oddSubcommand())
	case len(args) == 2 && !strings.EqualFold(args[1], "timeout") && !strings.EqualFold(args[1], "error"):
		r.error("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR")
	case !ok:
		r.error(notInteger)
	default:
		r.integer(0)
	}
}
