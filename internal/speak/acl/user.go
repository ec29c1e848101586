package acl

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"slices"
)

// User is one user. A connection holds on to the one that it is, and is bound by what its rules are at each moment; a user that
// is off keeps the connections that it has.
type User struct {
	name   string
	on     bool
	noPass bool
	// sanitize and skipSanitize are told, and mean nothing to a program without a dataset.
	sanitize, skipSanitize bool
	passwords              []digest
	// selectors are at least one: the first is what the rules outside of parentheses make.
	selectors []selector
	// openChannels is whether a new selector may hear all channels (acl-pubsub-default).
	openChannels bool
	// unlimited spares the search for a user who may do everything.
	unlimited bool
}

// digest is the SHA-256 of a password.
type digest [sha256.Size]byte

func newUser(t *Table, name string, openChannels bool) *User {
	return &User{name: name, selectors: []selector{newSelector(t, openChannels)}, openChannels: openChannels}
}

// NeedsNone reports whether the user gets in with any password.
func (u *User) NeedsNone() bool { return u.noPass }

// Name returns the user's name.
func (u *User) Name() string { return u.name }

// clone returns a copy that shares nothing with the user.
func (u *User) clone() *User {
	c := *u
	c.passwords, c.selectors = slices.Clone(u.passwords), make([]selector, len(u.selectors))
	for i := range u.selectors {
		c.selectors[i] = u.selectors[i].clone()
	}
	return &c
}

// become gives the user the rules of another, which is not used any more; the name stays.
func (u *User) become(other *User) {
	name := u.name
	*u = *other
	u.name = name
	u.settle()
}

// settle notes what follows from the rules, after the last of them.
func (u *User) settle() {
	u.unlimited = slices.ContainsFunc(u.selectors, func(s selector) bool { return s.unlimited() })
}

// passes reports whether a password is one of the user's. How long that takes tells nothing of the passwords.
func (u *User) passes(password string) bool {
	if !u.on {
		return false
	}
	if u.noPass {
		return true
	}
	given, found := digest(sha256.Sum256([]byte(password))), 0
	for i := range u.passwords {
		found |= subtle.ConstantTimeCompare(given[:], u.passwords[i][:])
	}
	return found == 1
}

// addPassword takes ">password", or "#" with its SHA-256 in hexadecimal.
func (u *User) addPassword(word string, hashed bool) fault {
	d, ok := digestOf(word, hashed)
	if !ok {
		return badHash
	}
	if !slices.Contains(u.passwords, d) {
		u.passwords = append(u.passwords, d)
	}
	u.noPass = false
	return ""
}

// dropPassword takes "<password", or "!" with its SHA-256 in hexadecimal.
func (u *User) dropPassword(word string, hashed bool) fault {
	d, ok := digestOf(word, hashed)
	if !ok {
		return badHash
	}
	i := slices.Index(u.passwords, d)
	if i < 0 {
		return noSuchHash
	}
	u.passwords = slices.Delete(u.passwords, i, i+1)
	return ""
}

func digestOf(word string, hashed bool) (d digest, ok bool) {
	if !hashed {
		return sha256.Sum256([]byte(word)), true
	}
	for i := range len(word) {
		if c := word[i]; c >= 'A' && c <= 'F' {
			return d, false
		}
	}
	if len(word) != 2*sha256.Size {
		return d, false
	}
	_, err := hex.Decode(d[:], []byte(word))
	return d, err == nil
}
