package acl

import (
	"strconv"
	"strings"
)

// Save returns the text of a file of users.
func (s *Users) Save() string {
	var b strings.Builder
	for _, line := range s.List() {
		b.WriteString(line + "\n")
	}
	return b.String()
}

// Load replaces all users by those of a file; name is the file's, for the errors. The default user stays the same User, with the rules of the
// file or, where it is not in it, with those that it has at first. All others end, even those that are in the file again. If
// anything is wrong with the file, nothing changes, and the Refusal tells all that is.
func (s *Users) Load(name, file string) (Effect, error) {
	next := &loading{users: s, name: name, named: map[string]*User{}}
	for i, line := range strings.Split(file, "\n") {
		if line = trimmed(line); line != "" {
			next.line(i+1, line)
		}
	}
	if next.wrong.Len() > 0 {
		return Effect{}, Refusal("ERR " + next.wrong.String() + "WARNING: ACL errors detected, no change to the previously active ACL rules was performed")
	}
	byDefault := next.named[DefaultUser]
	if byDefault == nil {
		byDefault = s.fresh(DefaultUser)
	}
	var e Effect
	for _, old := range s.Names() {
		if old != DefaultUser {
			e.Ended = append(e.Ended, s.named[old])
		}
	}
	s.Default().become(byDefault)
	next.named[DefaultUser] = s.Default()
	s.named, s.given = next.named, true
	return e, nil
}

// loading is a file of users, half read.
type loading struct {
	users *Users
	name  string
	named map[string]*User
	wrong strings.Builder
}

// line takes the line of that number.
func (l *loading) line(number int, line string) {
	at := l.name + ":" + strconv.Itoa(number)
	words := strings.Split(line, " ")
	if words[0] != "user" || len(words) < 2 {
		l.wrong.WriteString(at + " should start with user keyword followed by the username. ")
		return
	}
	name := words[1]
	switch {
	case hasSpace(name):
		l.wrong.WriteString("'" + at + ": username '" + name + "' contains invalid characters. ")
		return
	case l.named[name] != nil:
		l.wrong.WriteString("WARNING: Duplicate user '" + name + "' found on line " + strconv.Itoa(number) + ". ")
		return
	}
	rules, open := merge(words[2:])
	if open >= 0 {
		l.wrong.WriteString(at + ": " + string(unmatched))
		return
	}
	u, told := newUser(l.users.table, name, l.users.openChannels), false
	for _, rule := range rules {
		rule = strings.Trim(rule, "\t\r\n")
		switch why := u.apply(rule); {
		case why == unknownName:
			l.wrong.WriteString(at + ": Error in applying operation '" + rule + "': " + string(why) + ". ")
		case why != "" && !told:
			// What follows may only be wrong because of this.
			l.wrong.WriteString(at + ": " + string(why) + ". ")
			told = true
		}
	}
	u.settle()
	l.named[name] = u
}
