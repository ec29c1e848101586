package config

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"redkeep/internal/words"
)

// reader walks the tree, fills a Config and collects everything that is wrong, so that one run shows all of it.
type reader struct {
	file     string
	readFile ReadFile
	problems []Problem
	warnings []Problem
	// holdsSecret says that the file itself has a secret or a password in it.
	holdsSecret bool
}

// wrong notes an error at a place.
func (r *reader) wrong(at place, do, what string, args ...any) {
	r.problems = append(r.problems, Problem{r.file, at.line, at.column, fmt.Sprintf(what, args...), do})
}

// warn notes what is allowed and worth a sentence.
func (r *reader) warn(at place, do, what string, args ...any) {
	r.warnings = append(r.warnings, Problem{r.file, at.line, at.column, fmt.Sprintf(what, args...), do})
}

// field is one key that a map may have, with what reads its value.
type field struct {
	name string
	read func(v value)
}

// fields reads a map with known keys. It returns the keys that were there, with their places.
func (r *reader) fields(v value, of string, known []field) map[string]place {
	seen := make(map[string]place)
	entries, ok := r.entries(v, of)
	if !ok {
		return seen
	}
	names := make([]string, len(known))
	for i, f := range known {
		names[i] = f.name
	}
	for _, e := range entries {
		i := slices.Index(names, e.key.text)
		if i < 0 {
			r.unknown(e.key, of, names)
			continue
		}
		seen[e.key.text] = e.key.place
		known[i].read(e.value)
	}
	return seen
}

// unknown refuses a key, with the nearest one that would have been known.
func (r *reader) unknown(key value, of string, names []string) {
	do := "the keys are " + strings.Join(names, ", ")
	if near, ok := words.Nearest(key.text, names); ok {
		do = fmt.Sprintf("did you mean %q?", near)
	}
	r.wrong(key.place, do, "%s has no key %q", of, shown(key.text))
}

// entries returns a map's entries without those whose key came before, which are refused.
func (r *reader) entries(v value, of string) ([]entry, bool) {
	if v.kind != kindMap {
		r.wrong(v.place, "write keys and values under it", "%s must be a map, not %s", of, v.kind)
		return nil, false
	}
	first := make(map[string]place)
	var entries []entry
	for _, e := range v.entries {
		if at, twice := first[e.key.text]; twice {
			r.wrong(e.key.place, "keep one of them", "%q occurs twice in %s, first in line %d", shown(e.key.text), of, at.line)
			continue
		}
		first[e.key.text] = e.key.place
		entries = append(entries, e)
	}
	return entries, true
}

// list returns the items of a list.
func (r *reader) list(v value, of, example string) []value {
	if v.kind != kindList {
		r.wrong(v.place, "write it as "+example, "%s must be a list, not %s", of, v.kind)
		return nil
	}
	return v.items
}

// word returns a scalar's text as it was written, a number's too: names may be digits.
func (r *reader) word(v value, of string) (string, bool) {
	if v.kind == kindMap || v.kind == kindList || v.kind == kindNothing {
		r.wrong(v.place, "write one word after the colon", "%s must be a text, not %s", of, v.kind)
		return "", false
	}
	return v.text, true
}

// duration reads a time with its unit.
func (r *reader) duration(into *time.Duration, name string, least, most time.Duration) field {
	return field{name, func(v value) {
		text, ok := r.word(v, name)
		if !ok {
			return
		}
		d, err := time.ParseDuration(text)
		switch {
		case v.kind == kindNumber:
			r.wrong(v.place, fmt.Sprintf("write %ss or %sms", shown(text), shown(text)), "%s has no unit", name)
		case err != nil:
			r.wrong(v.place, "write a number and its unit, like 200ms, 3s or 1m", "%s must be a time, not %q", name, shown(text))
		case d < least || d > most:
			r.wrong(v.place, fmt.Sprintf("choose %s to %s", short(least), short(most)), "%s is out of range: %s", name, shown(text))
		default:
			*into = d
		}
	}}
}

// port reads a TCP port.
func (r *reader) port(into *uint16, name string) field {
	return field{name, func(v value) {
		n, err := strconv.ParseUint(v.text, 10, 32)
		switch {
		case v.kind != kindNumber && v.kind != kindText || err != nil && v.kind == kindText:
			r.wrong(v.place, "write a number from 1 to 65535", "%s must be a port, not %s", name, v.kind)
		case err != nil || n < 1 || n > 65535:
			r.wrong(v.place, "choose 1 to 65535", "%s is not a port: %s", name, shown(v.text))
		default:
			*into = uint16(n)
		}
	}}
}

// address reads an IP address that other hosts could reach.
func (r *reader) address(v value, of string) (netip.Addr, bool) {
	text, ok := r.word(v, of)
	if !ok {
		return netip.Addr{}, false
	}
	if _, err := netip.ParsePrefix(text); err == nil {
		r.wrong(v.place, "leave out the slash and what follows it", "%s must be one address, not a network", of)
		return netip.Addr{}, false
	}
	addr, err := netip.ParseAddr(text)
	if err != nil {
		r.wrong(v.place, "write an address like 10.0.0.11; host names are not looked up", "%s must be an IP address, not %q", of, shown(text))
		return netip.Addr{}, false
	}
	addr = addr.Unmap()
	broadcast := netip.AddrFrom4([4]byte{255, 255, 255, 255})
	switch {
	case addr.Zone() != "" || addr.IsLinkLocalUnicast():
		r.wrong(v.place, "use a routed or a private address", "%s is link-local, which means something else on each host: %s", of, shown(text))
	case addr.IsUnspecified() || addr.IsMulticast() || addr == broadcast:
		r.wrong(v.place, "use the address of one host", "%s is not one host's address: %s", of, shown(text))
	case addr.IsLoopback():
		r.wrong(v.place, "use the address at which the other nodes reach it", "%s is on the loopback: %s", of, shown(text))
	default:
		return addr, true
	}
	return netip.Addr{}, false
}

// name reads a node's, a group's or a user's name: what is safe in a log line, a file name and Sentinel's protocol.
func (r *reader) name(v value, of string) (string, bool) {
	const most = 63
	text, ok := r.word(v, of)
	if !ok {
		return "", false
	}
	good := text != "" && len(text) <= most
	for i, c := range text {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		good = good && (letter || c == '_' || i > 0 && (c == '-' || c == '.'))
	}
	if !good {
		r.wrong(v.place, "use up to 63 letters, digits, hyphens, dots and underscores, a letter or digit first",
			"%s cannot be named %q", of, shown(text))
	}
	return text, good
}

// shown shortens what is repeated from the file in a message.
func shown(text string) string {
	const most = 40
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}

// short prints a whole duration as people write it: 1m, not 1m0s.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
