package keepalivedconf

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// one returns the only value of a statement. More than one is an error: keepalived would drop the others without a word.
func (r *reader) one(s *Statement) (Word, bool) {
	if len(s.Words) < 2 {
		r.wrong(s.At(), "write it after the keyword", "%s has no value", s.title())
		return Word{}, false
	}
	r.noMore(s, 2)
	return s.Words[1], true
}

// noMore refuses words after the first n.
func (r *reader) noMore(s *Statement, n int) {
	if len(s.Words) <= n {
		return
	}
	extra := s.Words[n]
	if known(extra.Text) {
		r.wrong(extra.At, "write it on a line of its own", "%s stands in the line of %s, where keepalived doesn't see it", shown(extra.Text), shown(s.Keyword())).
			insert(extra.At, "\n")
		return
	}
	r.wrong(extra.At, "take it away, or begin a comment with #", "%s has more values than it takes", shown(s.Keyword()))
}

// number reads a whole number.
func (r *reader) number(s *Statement, least, most int) (int, bool) {
	w, ok := r.one(s)
	if !ok {
		return 0, false
	}
	return r.numberOf(w, s.Keyword(), least, most)
}

// numberOf reads one word as a number.
func (r *reader) numberOf(w Word, of string, least, most int) (int, bool) {
	n, err := strconv.Atoi(w.Text)
	switch {
	case err != nil:
		do := fmt.Sprintf("write a number from %d to %d", least, most)
		rest := strings.TrimLeft(w.Text, "0123456789")
		digits := w.Text[:len(w.Text)-len(rest)]
		// What has digits behind the letter, like 1e2, is another number than the one before it.
		if n, err := strconv.Atoi(digits); err == nil && n >= least && n <= most && !strings.ContainsAny(rest, "0123456789") {
			r.wrong(w.At, fmt.Sprintf("write %d", n), "%s is not a number: %q", of, shown(w.Text)).replace(w.At, digits)
			return 0, false
		}
		r.wrong(w.At, do, "%s is not a number: %q", of, shown(w.Text))
	case n < least || n > most:
		r.wrong(w.At, fmt.Sprintf("choose %d to %d", least, most), "%s is out of range: %d", of, n)
	default:
		return n, true
	}
	return 0, false
}

// seconds reads a time in seconds, with decimals.
func (r *reader) seconds(s *Statement, least, most time.Duration) (time.Duration, bool) {
	w, ok := r.one(s)
	if !ok {
		return 0, false
	}
	d, err := time.ParseDuration(w.Text + "s")
	switch {
	case err != nil || strings.Trim(w.Text, "0123456789.") != "":
		do := "write a number of seconds, like 1 or 0.5"
		if d, err := time.ParseDuration(w.Text); err == nil && d >= least && d <= most {
			text := strconv.FormatFloat(d.Seconds(), 'f', -1, 64)
			r.wrong(w.At, "write "+text, "%s is in seconds without a unit, not %q", s.Keyword(), shown(w.Text)).replace(w.At, text)
			return 0, false
		}
		r.wrong(w.At, do, "%s is not a time: %q", s.Keyword(), shown(w.Text))
	case d < least || d > most:
		r.wrong(w.At, fmt.Sprintf("choose %s to %s seconds", plainSeconds(least), plainSeconds(most)), "%s is out of range: %s", s.Keyword(), shown(w.Text))
	default:
		return d, true
	}
	return 0, false
}

// plainSeconds prints a time as the file has it.
func plainSeconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) }

// flag reads a keyword that may be followed by on or off.
func (r *reader) flag(s *Statement) bool {
	if len(s.Words) < 2 {
		return true
	}
	w, _ := r.one(s)
	switch strings.ToLower(w.Text) {
	case "on", "true", "yes":
		return true
	case "off", "false", "no":
		return false
	}
	r.wrong(w.At, "write on or off, or nothing", "%s cannot be %q", s.Keyword(), shown(w.Text))
	return false
}

// address reads an IP address.
func (r *reader) address(w Word, of string) (netip.Addr, bool) {
	addr, err := netip.ParseAddr(w.Text)
	if err == nil {
		return addr.Unmap(), true
	}
	if p, err := netip.ParsePrefix(w.Text); err == nil {
		bare, _, _ := strings.Cut(w.Text, "/")
		r.warn(w.At, "write "+bare, "%s is an address without a mask, not %s", of, shown(w.Text)).replace(w.At, bare)
		return p.Addr().Unmap(), true
	}
	r.wrong(w.At, "write an address like 10.0.0.11; names are not looked up", "%s is not an IP address: %q", of, shown(w.Text))
	return netip.Addr{}, false
}

// device reads the name of a network interface, as the kernel would take it.
func (r *reader) device(w Word, of string) (string, bool) {
	const most = 15 // IFNAMSIZ less the zero at its end
	bad := w.Text == "" || len(w.Text) > most || w.Text == "." || w.Text == ".."
	for _, c := range w.Text {
		bad = bad || c <= ' ' || c >= 0x7f || c == '/'
	}
	if bad {
		r.wrong(w.At, "write a name that ip link shows, like eth0", "%s cannot be an interface: %q", of, shown(w.Text))
	}
	return w.Text, !bad
}

// command reads a program with its arguments in one word, and perhaps a user and group after it.
func (r *reader) command(s *Statement) *Command {
	if len(s.Words) < 2 || s.Words[1].Text == "" {
		r.wrong(s.At(), "write the program's path after it", "%s has no program", s.title())
		return nil
	}
	w := s.Words[1]
	c := &Command{At: w.At, Args: split(w.Text)}
	if len(c.Args) == 0 {
		r.wrong(w.At, "write the program's path", "%s has no program", s.title())
		return nil
	}
	r.shell(s, c.Args)
	return c
}

// split cuts a command line into arguments as keepalived does: blanks part them but in quotes, and a backslash takes the
// meaning of what follows it.
func split(text string) []string {
	var args []string
	var b strings.Builder
	inside, quote := false, byte(0)
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c == '\\' && i+1 < len(text):
			i++
			b.WriteByte(text[i])
			inside = true
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			b.WriteByte(c)
		case c == '"' || c == '\'':
			quote, inside = c, true
		case blank(c):
			if inside {
				args = append(args, b.String())
			}
			b.Reset()
			inside = false
		default:
			b.WriteByte(c)
			inside = true
		}
	}
	if inside {
		args = append(args, b.String())
	}
	return args
}

// shell refuses what only a shell would understand.
func (r *reader) shell(s *Statement, args []string) {
	for _, a := range args[1:] {
		switch a {
		case "|", "||", "&", "&&", ";", ">", ">>", "<", "2>", "2>&1", "&>":
		default:
			if !strings.HasSuffix(a, ";") && !strings.HasPrefix(a, "$(") && !strings.HasPrefix(a, "`") &&
				!strings.HasPrefix(a, ">/") && !strings.HasPrefix(a, "2>") {
				continue
			}
		}
		if base := args[0][strings.LastIndexByte(args[0], '/')+1:]; strings.HasSuffix(base, "sh") && len(args) > 1 && args[1] == "-c" {
			return
		}
		w := s.Words[1]
		p := r.wrong(w.At, "write it as /bin/sh -c '...', or put it into a script of its own",
			"%s is run without a shell, which would be needed for %s", s.Keyword(), shown(strings.TrimRight(a, "();`")))
		if w.Quoted && !strings.ContainsAny(w.Text, `'\"`) {
			p.replace(w.At, `"/bin/sh -c '`+w.Text+`'"`)
		}
		return
	}
}
