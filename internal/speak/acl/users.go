package acl

import (
	"slices"
	"strings"
)

// Refusal is an error as a client is told it: its code, and the text. Unlike other errors it is for the wire.
type Refusal string

// Error returns the text of the error reply, without the byte that marks one.
func (r Refusal) Error() string { return string(r) }

// The texts of errors that have no parts.
const (
	// WrongPass answers AUTH and HELLO, whether the user, the password or the permission to log in is what lacks.
	WrongPass Refusal = "WRONGPASS invalid username-password pair or user is disabled."
	// NoPassword answers AUTH without a name where the default user needs no password.
	NoPassword Refusal = "ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?"
	// NoAuth answers whoever has to say first who it is.
	NoAuth Refusal = "NOAUTH Authentication required."
	// NoAuthHello is NoAuth for HELLO.
	NoAuthHello Refusal = "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time"
	// NoFile answers ACL SAVE and ACL LOAD where no file of users is configured.
	NoFile Refusal = "ERR This Redis instance is not configured to use an ACL file. You may want to specify users via the ACL SETUSER command and then issue a CONFIG REWRITE (assuming you have a Redis configuration file set) in order to store users in the Redis configuration."
	// NotSaved answers ACL SAVE where the file can't be written.
	NotSaved Refusal = "ERR There was an error trying to save the ACLs. Please check the server logs for more information"

	badUserName Refusal = "ERR Usernames can't contain spaces or null characters"
	keepDefault Refusal = "ERR The 'default' user cannot be removed"
)

// DefaultUser is the name of the user that a connection is without AUTH. There always is one.
const DefaultUser = "default"

// Users are all users of a process.
type Users struct {
	table *Table
	named map[string]*User
	// openChannels is whether a new user may hear all channels.
	openChannels bool
	// declared are the users of the configuration that were not adopted yet; given is whether one was the default user.
	declared []declaration
	given    bool
}

// Effect says whose connections a change hits.
type Effect struct {
	// Ended are users that are no more: every connection that is one of them is closed, the one that asked for it after its reply.
	Ended []*User
	// Narrowed, if not nil, may hear less than before: its connections that listen to something for which Hears is false are
	// closed, likewise.
	Narrowed *User
}

// New returns the users of a process that nobody has configured: the default one, who needs no password and may do everything.
// openChannels is acl-pubsub-default allchannels; Redis 7.0's default is false.
func New(t *Table, openChannels bool) *Users {
	s := &Users{table: t, named: map[string]*User{}, openChannels: openChannels}
	s.named[DefaultUser] = s.fresh(DefaultUser)
	return s
}

// fresh returns a user who is new, but for the default one, who may do everything.
func (s *Users) fresh(name string) *User {
	u := newUser(s.table, name, s.openChannels)
	if name == DefaultUser {
		for _, rule := range []string{"on", "nopass", "~*", "&*", "+@all"} {
			_ = u.apply(rule) // these can't be refused
		}
		u.settle()
	}
	return u
}

// Default returns the user that a connection is without AUTH. It stays the same for ever.
func (s *Users) Default() *User { return s.named[DefaultUser] }

// Find returns the user of that name, or nil.
func (s *Users) Find(name string) *User { return s.named[name] }

// Open reports whether who connects may ask at once. Where it is false, only a connection that came before, or has
// authenticated since, gets answers to more than AUTH and HELLO.
func (s *Users) Open() bool { return s.Default().on && s.Default().noPass }

// Names returns all names, sorted, as ACL USERS tells them.
func (s *Users) Names() []string {
	names := make([]string, 0, len(s.named))
	for name := range s.named {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// List returns all users as ACL LIST tells them, by their names.
func (s *Users) List() []string {
	var lines []string
	for _, name := range s.Names() {
		lines = append(lines, s.named[name].String())
	}
	return lines
}

// Lines returns the lines of a configuration that make these users, by their names. Passwords are in them as SHA-256.
func (s *Users) Lines() []string {
	var lines []string
	for _, name := range s.Names() {
		lines = append(lines, s.named[name].Line())
	}
	return lines
}

// Authenticate returns the user of that name if it is on and the password is one of its own, or it needs none; otherwise nil.
func (s *Users) Authenticate(name, password string) *User {
	u := s.named[name]
	if u == nil || !u.passes(password) {
		return nil
	}
	return u
}

// RequirePass gives the default user one password, in place of all that it has; "" is that it needs none. A configuration that says
// who the default user is, or a file of users, counts for more: behind Adopt or Load it does nothing then.
func (s *Users) RequirePass(password string) {
	if s.given {
		return
	}
	u := s.Default()
	u.noPass, u.passwords = password == "", nil
	if password != "" {
		_ = u.addPassword(password, false) // any password will do
	}
}

// SetUser makes a user, or changes one, by rules. One rule that is refused, by a Refusal, refuses them all.
func (s *Users) SetUser(name string, rules []string) (Effect, error) {
	if hasSpace(name) {
		return Effect{}, badUserName
	}
	merged, open := merge(rules)
	if open >= 0 {
		return Effect{}, Refusal("ERR Unmatched parenthesis in acl selector starting at '" + text(rules[open]) + "'.")
	}
	old := s.named[name]
	changed := newUser(s.table, name, s.openChannels)
	if old != nil {
		changed = old.clone()
	}
	for _, rule := range merged {
		if why := changed.apply(rule); why != "" {
			return Effect{}, Refusal("ERR Error in ACL SETUSER modifier '" + text(rule) + "': " + string(why))
		}
	}
	var e Effect
	if old == nil {
		old = &User{name: name}
		s.named[name] = old
	} else if changed.losesChannels(old) {
		e.Narrowed = old
	}
	old.become(changed)
	return e, nil
}

// losesChannels reports whether a user may hear less than it, by the patterns alone: whoever still has all of them, or may hear
// everything, loses nothing.
func (u *User) losesChannels(before *User) bool {
	if slices.ContainsFunc(u.selectors, func(s selector) bool { return s.allChannels }) {
		return false
	}
	for _, s := range before.selectors {
		if s.allChannels || slices.ContainsFunc(s.channels, func(c string) bool { return !u.lists(c) }) {
			return true
		}
	}
	return false
}

// lists reports whether a pattern of channels is one of the user's.
func (u *User) lists(pattern string) bool {
	return slices.ContainsFunc(u.selectors, func(s selector) bool { return slices.Contains(s.channels, pattern) })
}

// DelUser removes users, and returns how many there were. It refuses to remove the default one, and then the others too.
func (s *Users) DelUser(names []string) (int, Effect, error) {
	if slices.Contains(names, DefaultUser) {
		return 0, Effect{}, keepDefault
	}
	var e Effect
	for _, name := range names {
		if u := s.named[name]; u != nil {
			delete(s.named, name)
			e.Ended = append(e.Ended, u)
		}
	}
	return len(e.Ended), e, nil
}

// DryRun says what a user would be told who sends a request: "" that it is allowed. The error is about the question.
func (s *Users) DryRun(name string, request []string) (string, error) {
	u := s.named[name]
	if u == nil {
		return "", Refusal("ERR User '" + text(name) + "' not found")
	}
	id, ok := s.table.requested(request)
	if !ok {
		return "", Refusal("ERR Command '" + text(request[0]) + "' not found")
	}
	e := &s.table.entries[id]
	if e.Arity > 0 && e.Arity != len(request) || len(request) < -e.Arity {
		return "", Refusal("ERR wrong number of arguments for '" + e.full + "' command")
	}
	words := make([][]byte, len(request))
	for i := range request {
		words[i] = []byte(request[i])
	}
	switch v := u.Check(id, words); v.Denied {
	case Allowed:
		return "", nil
	case DeniedKey:
		return "This user has no permissions to access the '" + text(request[v.At]) + "' key", nil
	case DeniedChannel:
		return "This user has no permissions to access the '" + text(request[v.At]) + "' channel", nil
	default:
		return "This user has no permissions to run the '" + e.full + "' command", nil
	}
}

// Category answers ACL CAT with an argument.
func (s *Users) Category(name string) ([]string, error) {
	names, ok := s.table.Category(text(name))
	if !ok {
		return nil, Refusal("ERR Unknown category '" + text(name[:min(len(name), 128)]) + "'")
	}
	return names, nil
}

// trimmed takes off what ends a line, and what is around it.
func trimmed(line string) string { return strings.Trim(line, " \t\r\n") }
