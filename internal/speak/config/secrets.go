package config

import (
	"errors"
	"io/fs"
	"strings"

	"redkeep/internal/words"
)

// ReadFile returns the content and the mode of a file that the configuration names. Parse calls it at most once for each
// place that names one, with an absolute path if the configuration's own name was absolute.
type ReadFile func(name string) ([]byte, fs.FileMode, error)

// others are the permission bits that let anyone but the owner at a file.
const others fs.FileMode = 0o077

// inline reads a secret that stands in the file itself.
func (r *reader) inline(into *words.Secret, name string) field {
	return field{name, func(v value) {
		if text, ok := r.word(v, name); ok {
			r.holdsSecret = true
			r.take(into, v.place, name, text)
		}
	}}
}

// fromFile reads a secret from the file that is named. One line end at its end does not count.
func (r *reader) fromFile(into *words.Secret, name string) field {
	return field{name, func(v value) {
		if _, text, ok := r.private(v, name); ok {
			r.take(into, v.place, name, strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r"))
		}
	}}
}

// take checks a secret, of which nothing is repeated, and keeps it.
func (r *reader) take(into *words.Secret, at place, name, text string) {
	const most = 4096
	isPassword := strings.Contains(name, "password")
	switch {
	case text == "":
		r.wrong(at, "write it, or leave the key out", "%s is empty", name)
	case strings.ContainsFunc(text, func(c rune) bool { return c < ' ' || c == 0x7f }):
		r.wrong(at, "write it on one line", "%s has a line end or another control character in it", name)
	case len(text) > most:
		r.wrong(at, "use at most 4096 bytes", "%s is too long", name)
	case !isPassword && len(text) < MinSecret:
		r.wrong(at, "use at least 8, better 32 random ones: openssl rand -hex 16", "%s has only %d characters", name, len(text))
	default:
		*into = words.NewSecret(text)
	}
}

// one reports a secret that was given in both ways, and says whether it was given at all.
func (r *reader) one(seen map[string]place, name string) bool {
	_, inline := seen[name]
	at, file := seen[name+"_file"]
	if inline && file {
		r.wrong(at, "keep one of them", "%s and %s_file are both given", name, name)
	}
	return inline || file
}

// cause leaves out of a file error what the message already says: the operation. The path stays.
func cause(err error) error {
	if p := (*fs.PathError)(nil); errors.As(err, &p) {
		return errors.New(p.Path + ": " + p.Err.Error())
	}
	return err
}
