package keepalivedconf

import (
	"fmt"
	"slices"
	"strings"

	"redkeep/internal/words"
)

// Source is an included file.
type Source struct {
	Name string
	Text []byte
}

// Include returns the files that an include line names: a path, relative to the directory of the file that it stands in, or a
// pattern of the shell's. No file is an error, unless it is a pattern.
type Include func(from, pattern string) ([]Source, error)

// Parse reads a configuration. name is what problems begin with; include may be nil for a reader without a host. What is
// wrong comes back as Errors, all of it at once as far as a hundred, and the Config with it: it has every tree, and the
// values of those keywords that are good.
func Parse(name string, text []byte, include Include) (*Config, error) {
	r := &reader{include: include, config: &Config{}, defined: make(map[string][]Word)}
	r.file(name, text, topLevel(), func(s []*Statement) { r.top(s) })
	r.check()
	for _, p := range r.sorted(r.config.Files) {
		if p.Warning {
			r.config.Warnings = append(r.config.Warnings, p)
		}
	}
	if wrong := Serious(r.list); len(wrong) > 0 {
		return r.config, wrong
	}
	return r.config, nil
}

// reader fills a Config and collects everything that is wrong, so that one run shows all of it.
type reader struct {
	problems
	include Include
	config  *Config
	// defined are the values of $NAME lines so far.
	defined map[string][]Word
	// included and bytes count what has been read, depth how far includes lead.
	included, bytes, depth int
	// defaults are what global_defs says for instances.
	defaults defaults
}

// Limits of includes, so that a file that includes itself ends.
const (
	deepestInclude = 16
	mostIncluded   = 200
)

// file reads one file and hands on its statements.
func (r *reader) file(name string, text []byte, outer *level, read func([]*Statement)) {
	f := newFile(name, text, outer, &r.problems)
	r.config.Files = append(r.config.Files, f)
	r.bytes += len(text)
	read(f.Statements)
}

// each goes through the statements of a block: it reads included files in their place, puts in what was defined, says what
// does not belong, and hands on the rest.
func (r *reader) each(statements []*Statement, l *level, read func(*Statement)) {
	for _, s := range statements {
		keyword := s.Keyword()
		switch {
		case isInclude(keyword) && !s.Words[0].Quoted:
			r.included1(s, l, read)
		case strings.HasPrefix(keyword, "$") && strings.Contains(keyword, "="):
			r.define(s)
		case strings.HasPrefix(keyword, "@"):
			r.wrong(s.At(), "write a file for each host", "a line that begins with @ holds for some hosts only, which is not supported")
		default:
			if s = r.expanded(s); s == nil {
				continue
			}
			if l.list {
				read(s)
				continue
			}
			r.keyword(s, l, read)
		}
	}
}

// isInclude reports whether it is include or one of its variants, which check more.
func isInclude(keyword string) bool {
	switch keyword {
	case "include", "includer", "includem", "includew", "includeb", "includea":
		return true
	}
	return false
}

// included1 reads what one include line names.
func (r *reader) included1(s *Statement, l *level, read func(*Statement)) {
	switch {
	case s.Name() == "":
		r.wrong(s.At(), "name a file after it", "include names no file")
		return
	case r.include == nil:
		r.warn(s.Words[1].At, "copy its lines to here", "included files are not read here: %s", shown(s.Name()))
		return
	case r.depth == deepestInclude || r.included == mostIncluded || r.bytes > MaxFile:
		r.wrong(s.At(), "leave one include out", "too many or too large files include each other")
		return
	}
	sources, err := r.include(s.At().File, s.Name())
	if err != nil {
		r.wrong(s.Words[1].At, "write the path of a file that is there, or take the line away", "include of %s: %s", shown(s.Name()), err)
		return
	}
	if len(sources) == 0 {
		r.warn(s.Words[1].At, "take the line away if that is right", "include of %s: no file has such a name", shown(s.Name()))
	}
	r.depth++
	defer func() { r.depth-- }()
	for _, source := range sources {
		r.included++
		r.file(source.Name, source.Text, l, func(inner []*Statement) { r.each(inner, l, read) })
	}
}

// keyword looks whether a statement belongs into its level, and what is to become of it.
func (r *reader) keyword(s *Statement, l *level, read func(*Statement)) {
	k, is := l.words[s.Keyword()]
	if !is {
		near, plain := r.unknown(s, l)
		if !plain {
			return
		}
		// It is read as what was meant, so that nothing else is found wrong for it.
		meant := Statement{slices.Clone(s.Words), s.Block}
		meant.Words[0].Text = near
		s, k = &meant, l.words[near]
	}
	if k.block != "" && s.Block == nil && k.fate == used {
		r.wrong(s.At(), "write { after it, and } at its end", "%s has no block", s.title())
		return
	}
	if k.block == "" && s.Block != nil {
		r.wrong(s.Block.Open, "take the braces away", "%s has no block of its own", s.title())
		return
	}
	switch k.fate {
	case ignored:
		r.warn(s.At(), k.why, "%s is passed over", s.title())
	case refused:
		p := r.wrong(s.At(), k.why, "%s is not supported", s.title())
		if k.why == strictWhy || s.Keyword() == "no_accept" {
			p.remove(s)
		}
	default:
		read(s)
	}
}

// remove is the repair that takes a statement of one line away.
func (p *Problem) remove(s *Statement) {
	p.Repair = append(p.Repair, Edit{s.At().File, s.At().from, s.Words[len(s.Words)-1].At.to, ""})
}

// unknown says of a keyword that is not at home in a level where it is, or which one is nearest; that it returns if it is
// plain.
func (r *reader) unknown(s *Statement, l *level) (near string, plain bool) {
	name := s.Keyword()
	if r.wrongs == mostProblems {
		return "", false
	}
	if home := homes(name); len(home) > 0 {
		do := "move it there"
		if home[0] == outside {
			do = "move it outside of all blocks"
		}
		r.wrong(s.At(), do, "%s belongs into %s, not into %s", shown(name), home[0], l.name)
		return "", false
	}
	if near, ok := words.Nearest(strings.ToLower(name), l.names()); ok {
		r.wrong(s.At(), "did you mean "+near+"?", "there is no keyword %q", shown(name)).replace(s.At(), near)
		return near, true
	}
	for _, other := range []string{"vrrp_instance", "vrrp_script", "global_defs", "vrrp_sync_group"} {
		if near, ok := words.Nearest(name, levels[other].names()); ok && l.name == outside {
			r.wrong(s.At(), fmt.Sprintf("did you mean %s, in %s?", near, other), "there is no keyword %q", shown(name))
			return "", false
		}
	}
	if l.name == "authentication" { // it may be a password
		r.wrong(s.At(), "the keywords are auth_type and auth_pass", "there is no such keyword in authentication")
		return "", false
	}
	do := "take it away, or look it up in keepalived.conf(5)"
	if list := l.names(); len(list) <= 8 {
		do = "the keywords are " + strings.Join(list, ", ")
	}
	r.wrong(s.At(), do, "there is no keyword %q in %s", shown(name), l.name)
	return "", false
}

// define takes a line $NAME=VALUE.
func (r *reader) define(s *Statement) {
	name, value, _ := strings.Cut(s.Keyword()[1:], "=")
	list := slices.Clone(s.Words[1:])
	if value != "" {
		w := s.Words[0]
		w.Text = value
		list = slices.Insert(list, 0, w)
	}
	if len(list) == 0 || s.Block != nil || !plainName(name) {
		r.wrong(s.At(), "write the lines themselves where they are used", "$%s has a value of several lines, which is not supported", shown(name))
		return
	}
	r.defined[name] = list
}

// plainName reports whether a definition can have that name.
func plainName(name string) bool {
	for i, c := range name {
		if c != '_' && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9' || i == 0) {
			return false
		}
	}
	return name != ""
}

// expanded puts the values of $NAME and ${NAME} in, or returns nil where there is none.
func (r *reader) expanded(s *Statement) *Statement {
	if !slices.ContainsFunc(s.Words, func(w Word) bool { return strings.ContainsAny(w.Text, "$~") }) {
		return s
	}
	out := &Statement{Block: s.Block}
	for _, w := range s.Words {
		if strings.HasPrefix(w.Text, "~SEQ(") || strings.HasPrefix(w.Text, "~LST(") {
			r.wrong(w.At, "write the lines out", "%s is not supported", w.Text[:4])
			return nil
		}
		list, ok := r.expand(w, s.Keyword() == "auth_pass")
		if !ok {
			return nil
		}
		out.Words = append(out.Words, list...)
	}
	if len(out.Words) == 0 {
		return nil
	}
	return out
}

// expand puts values into one word, which may become several. A secret may have a $ of its own, and is not shown.
func (r *reader) expand(w Word, secret bool) ([]Word, bool) {
	text := w.Text
	for at := 0; at < len(text); {
		i := strings.IndexByte(text[at:], '$')
		if i < 0 {
			break
		}
		at += i
		name, length := nameAfter(text[at:])
		value, is := r.defined[name]
		switch {
		case strings.HasPrefix(name, "_") && !secret:
			r.wrong(w.At, "write the value itself", "$%s is not supported", shown(name))
			return nil, false
		case !is && !w.Quoted && at == 0 && name != "" && !secret:
			r.wrong(w.At, fmt.Sprintf("write a line $%s=VALUE before it, or the value itself", shown(name)), "$%s is not defined", shown(name))
			return nil, false
		case !is:
			at++
			continue
		case length == len(w.Text) && !w.Quoted:
			list := slices.Clone(value)
			for i := range list {
				list[i].At = w.At
			}
			return list, true
		}
		parts := make([]string, len(value))
		for i, v := range value {
			parts[i] = v.Text
		}
		joined := strings.Join(parts, " ")
		if len(text)+len(joined) > MaxFile {
			return []Word{w}, true
		}
		text = text[:at] + joined + text[at+length:]
		at += len(joined)
	}
	w.Text = text
	return []Word{w}, true
}

// nameAfter reads $NAME or ${NAME} at the beginning of a text, and how long it is.
func nameAfter(text string) (string, int) {
	if rest, is := strings.CutPrefix(text, "${"); is {
		if end := strings.IndexByte(rest, '}'); end >= 0 {
			name, _, _ := strings.Cut(rest[:end], " ")
			return name, end + 3
		}
	}
	end := 1
	for end < len(text) && plainName("x"+text[1:end+1]) {
		end++
	}
	return text[1:end], end
}
