package acl

import (
	"crypto/rand"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"redkeep/internal/speak/resp"
)

// twin answers requests as redis-sentinel does, as far as that is about users; it is what a face makes of this room.
type twin struct {
	t     testing.TB
	users *Users
	log   *Log
	file  string // of users, or ""
	conns map[string]*seat
}

// seat is a connection to the twin.
type seat struct {
	user          *User
	authenticated bool
	resp3, gone   bool
	channels      map[string]bool // whether it is a pattern
}

func newTwin(t testing.TB, file string) *twin {
	return &twin{t: t, users: New(sentinelTable(t), false), log: NewLog(DefaultLogLength), file: file, conns: map[string]*seat{}}
}

// written collects a reply.
type written struct {
	b     []byte
	resp3 bool
}

func (w *written) bulk(s ...string) {
	for _, v := range s {
		w.b = resp.AppendBulk(w.b, v)
	}
}

func (w *written) list(s ...string) {
	w.b = resp.AppendArray(w.b, len(s))
	w.bulk(s...)
}

func (w *written) err(err error) { w.b = resp.AppendError(w.b, err.Error()) }
func (w *written) ok()           { w.b = resp.AppendSimple(w.b, "OK") }

func (w *written) dict(n int) {
	if w.resp3 {
		w.b = resp.AppendMap(w.b, n)
		return
	}
	w.b = resp.AppendArray(w.b, 2*n)
}

func (x *twin) seat(name string) *seat {
	s := x.conns[name]
	if s == nil {
		s = &seat{user: x.users.Default(), authenticated: x.users.Open(), channels: map[string]bool{}}
		x.conns[name] = s
	}
	return s
}

// answer returns the reply to a request of a connection.
func (x *twin) answer(conn string, request []string) []byte {
	s := x.seat(conn)
	w := &written{resp3: s.resp3}
	table := x.users.table
	id, ok := table.requested(request)
	if !ok {
		x.t.Fatalf("the twin does not know %q", request)
	}
	e := &table.entries[id]
	switch v := s.user.Check(id, inBytes(request)); {
	case e.Arity > 0 && e.Arity != len(request) || len(request) < -e.Arity:
		w.err(Refusal("ERR wrong number of arguments for '" + e.full + "' command"))
	case !s.authenticated && !x.users.Open() && !table.Free(id):
		w.err(NoAuth)
	case v.Denied != Allowed:
		object := e.full
		if v.Denied != DeniedCommand {
			object = request[v.At]
		}
		x.log.Note(Entry{Reason: v.Denied, Object: object, Username: s.user.Name(), At: time.Now()})
		w.err(v.Refusal(e.full))
	default:
		x.run(s, e.full, request, w)
	}
	return w.b
}

func (x *twin) run(s *seat, command string, request []string, w *written) {
	switch command {
	case "auth":
		x.auth(s, request, w)
	case "hello":
		if len(request) == 5 && !x.login(s, request[0], request[3], request[4]) {
			w.err(WrongPass)
			return
		}
		if !s.authenticated {
			w.err(NoAuthHello)
			return
		}
		s.resp3 = request[1] == "3"
		w.resp3 = s.resp3
		w.dict(0) // what it says is not about users
	case "subscribe", "psubscribe":
		for _, c := range request[1:] {
			s.channels[c] = command == "psubscribe"
		}
		w.list(command)
	case "publish":
		w.err(Refusal("ERR Only HELLO messages are accepted by Sentinel instances."))
	default:
		if args, ok := strings.CutPrefix(command, "acl|"); ok {
			x.acl(s, args, request[1], request[2:], w)
			return
		}
		w.ok() // the others only have to be allowed
	}
}

func (x *twin) auth(s *seat, request []string, w *written) {
	name, password := DefaultUser, request[1]
	switch {
	case len(request) > 3:
		w.err(Refusal("ERR syntax error"))
		return
	case len(request) == 3:
		name, password = request[1], request[2]
	case x.users.Default().noPass:
		w.err(NoPassword)
		return
	}
	if !x.login(s, request[0], name, password) {
		w.err(WrongPass)
		return
	}
	w.ok()
}

func (x *twin) login(s *seat, typed, name, password string) bool {
	u := x.users.Authenticate(name, password)
	if u == nil {
		x.log.Note(Entry{Reason: DeniedAuth, Object: typed, Username: name, At: time.Now()})
		return false
	}
	s.user, s.authenticated = u, true
	return true
}

// hit closes the connections that a change has hit.
func (x *twin) hit(e Effect) {
	for _, s := range x.conns {
		for _, u := range e.Ended {
			s.gone = s.gone || s.user == u
		}
		for c, pattern := range s.channels {
			s.gone = s.gone || s.user == e.Narrowed && !e.Narrowed.Hears(c, pattern)
		}
	}
}

func (x *twin) acl(s *seat, of, typed string, args []string, w *written) {
	var e Effect
	var err error
	if (of == "cat" || of == "log" || of == "genpass") && len(args) > 1 {
		w.err(Refusal("ERR unknown subcommand or wrong number of arguments for '" + typed + "'. Try ACL HELP."))
		return
	}
	switch of {
	case "setuser":
		e, err = x.users.SetUser(args[0], args[1:])
	case "deluser":
		var n int
		if n, e, err = x.users.DelUser(args); err == nil {
			w.b = resp.AppendInt(w.b, int64(n))
		}
	case "save":
		if err = error(NoFile); x.file != "" {
			err = os.WriteFile(x.file, []byte(x.users.Save()), 0o600)
		}
	case "load":
		if err = error(NoFile); x.file != "" {
			var b []byte
			if b, err = os.ReadFile(x.file); err == nil {
				e, err = x.users.Load(x.file, string(b))
			}
		}
	case "list":
		w.list(x.users.List()...)
	case "users":
		w.list(x.users.Names()...)
	case "whoami":
		w.bulk(s.user.Name())
	case "getuser":
		x.getUser(args[0], w)
	case "cat":
		names := x.users.table.Categories()
		if len(args) > 0 {
			names, err = x.users.Category(args[0])
		}
		w.list(names...)
	case "dryrun":
		var denied string
		if denied, err = x.users.DryRun(args[0], args[1:]); denied != "" {
			w.bulk(denied)
		}
	case "genpass":
		var p string
		if p, err = GenPass(func(b []byte) { _, _ = rand.Read(b) }, args...); err == nil {
			w.bulk(p)
		}
	case "log":
		if len(args) == 1 && strings.EqualFold(args[0], "reset") {
			x.log.Reset()
			break
		}
		var entries []Entry
		if entries, err = x.log.Newest(args...); err == nil {
			x.tell(entries, w)
		}
	default:
		x.t.Fatalf("the twin does not know acl|%s", of)
	}
	switch {
	case err != nil:
		w.b = nil
		w.err(err)
	case len(w.b) == 0:
		w.ok()
	}
	x.hit(e)
}

func (x *twin) getUser(name string, w *written) {
	u := x.users.Find(name)
	if u == nil {
		w.b = resp.AppendNilBulk(w.b)
		if w.resp3 {
			w.b = resp.AppendNull(nil)
		}
		return
	}
	d := u.Describe()
	w.dict(6)
	w.bulk("flags")
	if w.resp3 {
		w.b = resp.AppendSet(w.b, len(d.Flags))
		w.bulk(d.Flags...)
	} else {
		w.list(d.Flags...)
	}
	w.bulk("passwords")
	w.list(d.Passwords...)
	w.bulk("commands", d.Commands, "keys", d.Keys, "channels", d.Channels, "selectors")
	w.b = resp.AppendArray(w.b, len(d.Selectors))
	for _, s := range d.Selectors {
		w.dict(3)
		w.bulk("commands", s.Commands, "keys", s.Keys, "channels", s.Channels)
	}
}

func (x *twin) tell(entries []Entry, w *written) {
	w.b = resp.AppendArray(w.b, len(entries))
	for _, e := range entries {
		w.dict(7)
		w.bulk("count")
		w.b = resp.AppendInt(w.b, e.Count)
		w.bulk("reason", e.Reason.String(), "context", e.Context(), "object", e.Object, "username", e.Username, "age-seconds")
		if age := e.Age(time.Now()); w.resp3 {
			w.b = resp.AppendDouble(w.b, age)
		} else {
			w.bulk(strconv.FormatFloat(age, 'g', 17, 64))
		}
		w.bulk("client-info", e.Client)
	}
}
