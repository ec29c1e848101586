package keepalivedconf

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Place is where something stands. Line and Column count from 1, columns in characters.
type Place struct {
	// File is the name that the caller gave, or the one of an included file.
	File         string
	Line, Column int

	// from and to are the bytes of what stands there, for repairs.
	from, to int
}

// String returns file:line:column.
func (p Place) String() string { return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column) }

// Edit replaces the bytes From to To of a file.
type Edit struct {
	File     string
	From, To int
	With     string
}

// Problem is one thing that is wrong at one place, or worth a sentence. Neither text holds a password; a repair may.
type Problem struct {
	Place
	// What is wrong, and what to Do about it: both without a full stop.
	What, Do string
	// Warning says that the file can be run as it is.
	Warning bool
	// Repair is what would mend it, where that is plain; nil where a person must choose.
	Repair []Edit
}

// String returns the form that all of Redkeep's configuration errors have.
func (p Problem) String() string { return fmt.Sprintf("%s: %s; %s", p.Place, p.What, p.Do) }

// Errors is what is wrong with a configuration, sorted by place. It is never empty when it is returned as an error.
type Errors []Problem

// Error returns one line for each problem.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, p := range e {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// Serious returns the problems that are no warnings.
func Serious(problems []Problem) Errors {
	return slices.DeleteFunc(slices.Clone(problems), func(p Problem) bool { return p.Warning })
}

// mostProblems is how many mistakes are told, and how many warnings: nobody reads more, and a file that is none of keepalived's has one a line.
// Warnings never take the place of a mistake, without which a file is run.
const mostProblems = 100

// problems collects them.
type problems struct {
	list             []Problem
	wrongs, warnings int
}

// wrong notes an error, and returns it so that a repair may be added.
func (p *problems) wrong(at Place, do, what string, args ...any) *Problem {
	return p.note(Problem{Place: at, What: fmt.Sprintf(what, args...), Do: do})
}

// warn notes what is allowed and worth a sentence.
func (p *problems) warn(at Place, do, what string, args ...any) *Problem {
	return p.note(Problem{Place: at, What: fmt.Sprintf(what, args...), Do: do, Warning: true})
}

func (p *problems) note(one Problem) *Problem {
	count := &p.wrongs
	if one.Warning {
		count = &p.warnings
	}
	if *count == mostProblems {
		return &one
	}
	*count++
	p.list = append(p.list, one)
	return &p.list[len(p.list)-1]
}

// replace is the repair that puts other text in a place.
func (p *Problem) replace(at Place, with string) {
	p.Repair = append(p.Repair, Edit{at.File, at.from, at.to, with})
}

// insert is the repair that puts text before a place.
func (p *Problem) insert(at Place, text string) {
	p.Repair = append(p.Repair, Edit{at.File, at.from, at.from, text})
}

// sorted orders by place, and problems of one place as they were found. Files stay in the order they were read.
func (p *problems) sorted(files []*File) []Problem {
	order := make(map[string]int)
	for i, f := range files {
		if _, twice := order[f.Name]; !twice {
			order[f.Name] = i
		}
	}
	slices.SortStableFunc(p.list, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(order[a.File], order[b.File]), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return p.list
}

// Repaired returns a file's text with all repairs that concern it. Of two that overlap, the first counts.
func Repaired(f *File, list []Problem) []byte {
	var edits []Edit
	for _, p := range list {
		for _, e := range p.Repair {
			if e.File == f.Name && e.From >= 0 && e.From <= e.To && e.To <= len(f.text) {
				edits = append(edits, e)
			}
		}
	}
	slices.SortStableFunc(edits, func(a, b Edit) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To)) })
	var out []byte
	at := 0
	for _, e := range edits {
		if e.From < at {
			continue
		}
		out = append(append(out, f.text[at:e.From]...), e.With...)
		at = e.To
	}
	return append(out, f.text[at:]...)
}

// shown is as much of a word as a message may repeat: what would confuse a terminal stays out of it, and so does a
// password that was run together with its keyword.
func shown(word string) string {
	const most = 40
	if rest, is := strings.CutPrefix(word, "auth_pass"); is && rest != "" {
		return "auth_pass…"
	}
	var b strings.Builder
	for i, c := range word {
		switch {
		case i >= most:
			return b.String() + "…"
		case c < ' ' || c == 0x7f || c == '�' || c >= 0x80 && c < 0xa0 || c >= 0x2028 && c <= 0x202e:
			b.WriteByte('?')
		default:
			b.WriteRune(c)
		}
	}
	return b.String()
}
