package keepalivedconf

import (
	"fmt"
)

// MaxFile is the most bytes of a file, and of all that it includes together.
const MaxFile = 1 << 20

// File is one keepalived.conf, or one that it includes.
type File struct {
	// Name is the caller's.
	Name string
	// Statements are what stands outside of all blocks, in the file's order.
	Statements []*Statement

	text   []byte
	tokens []token
	places *places
}

// Statement is one keyword with its values, and its block if it has one.
type Statement struct {
	// Words are never empty; the first is the keyword, or in a list of addresses and the like the first value.
	Words []Word
	// Block is nil where there is none.
	Block *Block
}

// Word is one word of a statement.
type Word struct {
	At Place
	// Text is without quotes. It may be a password.
	Text   string
	Quoted bool

	unclosed, cut bool
}

// Block is what stands between braces.
type Block struct {
	Open, Close Place
	Statements  []*Statement
	// oneLine says that the braces are on one line.
	oneLine bool
}

// Keyword returns the first word.
func (s *Statement) Keyword() string { return s.Words[0].Text }

// At returns the place of the first word.
func (s *Statement) At() Place { return s.Words[0].At }

// Name returns the word after the keyword, or "".
func (s *Statement) Name() string {
	if len(s.Words) < 2 {
		return ""
	}
	return s.Words[1].Text
}

// title names a block in messages: vrrp_instance redis.
func (s *Statement) title() string {
	if n := s.Name(); n != "" && namedBlock(s.Keyword()) {
		return s.Keyword() + " " + shown(n)
	}
	return shown(s.Keyword())
}

// Append prints the file: byte for byte what was read.
func (f *File) Append(b []byte) []byte {
	at := 0
	for _, t := range f.tokens {
		b = append(append(b, f.text[at:t.from]...), f.text[t.from:t.to]...)
		at = t.to
	}
	return append(b, f.text[at:]...)
}

// newFile reads a text into a tree. Braces are taken as they were meant, if that can be seen.
func newFile(name string, text []byte, outer *level, p *problems) *File {
	f := &File{Name: name, text: text, places: newPlaces(name, text)}
	if len(text) > MaxFile {
		p.wrong(f.places.at(0, 0), "include its parts from several files", "the file has more than %d KiB", MaxFile>>10)
		f.text, f.places = nil, newPlaces(name, nil)
		return f
	}
	clean, found := cleaned(name, text)
	for _, one := range found {
		p.wrong(f.places.at(one.edits[0].From, one.edits[0].From), one.do, "%s", one.what).Repair = one.edits
	}
	f.tokens = lex(clean)
	for _, t := range f.tokens {
		if t.unclosed {
			at := f.places.at(t.from, t.to)
			p.wrong(at, `write " at its end too`, "a quote is opened here and not closed in this line").insert(Place{File: name, from: t.to, to: t.to}, `"`)
		}
	}
	f.grow(outer, p)
	return f
}

// grow makes the tree, leaving out the braces that are no ends of blocks.
func (f *File) grow(outer *level, p *problems) {
	b := newBuilder(f, slips(f.tokens, outer), outer, p)
	b.run()
	f.Statements = b.root.Statements
}

// builder makes a tree of tokens.
type builder struct {
	f       *File
	without map[int]bool
	root    Block
	stack   []open
	// faults counts what is wrong with the structure, for slips to compare.
	faults int
	// notes is nil where only the faults matter.
	notes *problems
	// last is the statement that an opening brace would belong to.
	last *Statement
}

// open is a block that has not ended.
type open struct {
	block *Block
	of    *Statement
	level *level
	// token is that of its brace.
	token int
	// slip is the index of a brace that was left out of it, -1 for none.
	slip int
}

func newBuilder(f *File, without map[int]bool, outer *level, notes *problems) *builder {
	b := &builder{f: f, without: without, notes: notes}
	b.stack = []open{{block: &b.root, level: outer, token: -1, slip: -1}}
	return b
}

// deepest is how far blocks may nest: keepalived's own go four deep.
const deepest = 16

// top is the innermost block.
func (b *builder) top() *open { return &b.stack[len(b.stack)-1] }

// run goes through the tokens once.
func (b *builder) run() {
	for i := 0; i < len(b.f.tokens); i++ {
		switch t := b.f.tokens[i]; t.kind {
		case kindOpen:
			b.open(i)
		case kindClose:
			if b.without[i] {
				b.leaveOut(i)
			} else {
				b.close(i)
			}
		default:
			i = b.statement(i)
		}
	}
	for len(b.stack) > 1 {
		b.unclosed(Place{}, "")
	}
}

// place is where a token stands; nowhere, if nobody wants to know.
func (b *builder) place(i int) Place {
	if b.notes == nil {
		return Place{}
	}
	return b.f.places.at(b.f.tokens[i].from, b.f.tokens[i].to)
}

// wrong counts a fault and says it, if somebody listens.
func (b *builder) wrong(at Place, do, what string, args ...any) *Problem {
	b.faults++
	if b.notes == nil {
		return &Problem{}
	}
	return b.notes.wrong(at, do, what, args...)
}

// open begins the block of the last statement.
func (b *builder) open(i int) {
	if b.last == nil || b.last.Block != nil || len(b.stack) >= deepest {
		at := b.place(i)
		b.wrong(at, "write the keyword of the block before it, or take it away", "'{' opens a block that has no name")
		b.last = &Statement{Words: []Word{{At: at, Text: "{"}}} // what follows is its own
	}
	block := &Block{Open: b.place(i)}
	b.last.Block = block
	inner := b.top().level.child(b.last.Keyword())
	b.stack = append(b.stack, open{block, b.last, inner, i, -1})
	b.last = nil
}

// close ends the innermost block.
func (b *builder) close(i int) {
	b.last = nil
	if len(b.stack) == 1 {
		p := b.wrong(b.place(i), "take it away, or look for the '{' that is missing above", "'}' closes nothing")
		p.replace(b.place(i), "")
		return
	}
	o := b.top()
	o.block.Close = b.place(i)
	o.block.oneLine = !b.lineBreak(o.token+1, i)
	if o.slip >= 0 {
		b.slipped(o, i)
	}
	b.stack = b.stack[:len(b.stack)-1]
}

// lineBreak reports whether a token of from to to begins a line.
func (b *builder) lineBreak(from, to int) bool {
	for i := from; i <= to && i < len(b.f.tokens); i++ {
		if b.f.tokens[i].first {
			return true
		}
	}
	return false
}

// leaveOut passes over a brace that would end its block too early.
func (b *builder) leaveOut(i int) {
	if b.last = nil; len(b.stack) > 1 && b.top().slip < 0 {
		b.top().slip = i
	}
}

// slipped says so when the block has really ended.
func (b *builder) slipped(o *open, end int) *Problem {
	after := ""
	for i := o.slip; i >= 0; i-- {
		if t := b.f.tokens[i]; t.kind == kindWord && t.first {
			after = ", right after the value of " + shown(t.text)
			break
		}
	}
	do := "move it to its own line, at the end of the block"
	if end >= 0 {
		do = fmt.Sprintf("take it away: the '}' in line %d is the end", b.place(end).Line)
	}
	if b.notes == nil { // no fault of the structure: it is known what was meant
		return &Problem{}
	}
	p := b.notes.wrong(b.place(o.slip), do, "'}' closes %s here%s", o.of.title(), after)
	p.replace(b.place(o.slip), "")
	return p
}

// statement reads the words of a line, as far as a brace, and returns the index of the last.
func (b *builder) statement(i int) int {
	first := b.f.tokens[i]
	b.missing(i)
	s := &Statement{}
	for {
		t := b.f.tokens[i]
		s.Words = append(s.Words, Word{b.place(i), t.text, t.quoted, t.unclosed, t.cut})
		if i+1 == len(b.f.tokens) || b.f.tokens[i+1].kind != kindWord || b.f.tokens[i+1].first {
			break
		}
		i++
	}
	o := b.top()
	if !o.level.list && !o.level.has(first.text) && known(first.text) {
		b.faults++ // at home somewhere else
	}
	o.block.Statements = append(o.block.Statements, s)
	b.last = s
	return i
}

// missing ends the blocks that should have ended before a statement: its keyword belongs outside of them, and not into them.
func (b *builder) missing(i int) {
	keyword := b.f.tokens[i].text
	if b.f.tokens[i].quoted || b.top().level.has(keyword) || !known(keyword) {
		return
	}
	for at := len(b.stack) - 2; at >= 0; at-- {
		if !b.stack[at].level.has(keyword) {
			continue
		}
		if at == 0 && !blockKeyword(keyword) {
			return
		}
		for len(b.stack) > at+1 {
			b.unclosed(b.place(i), keyword)
		}
		return
	}
}

// unclosed ends a block without a brace.
func (b *builder) unclosed(before Place, keyword string) {
	o := *b.top()
	b.stack = b.stack[:len(b.stack)-1]
	end := Place{File: b.f.Name, from: len(b.f.text), to: len(b.f.text)}
	where, text := "before the end of the file", "}\n"
	if len(b.f.text) > 0 && b.f.text[len(b.f.text)-1] != '\n' {
		text = "\n}\n"
	}
	if keyword != "" {
		end, text = before, "}\n"
		where = fmt.Sprintf("before %s in line %d", shown(keyword), before.Line)
	}
	o.block.Close = end
	if first := o.of.Words[0]; first.Text == "{" && !first.Quoted { // That it has no name is told; whoever mends that mends this.
		b.faults++
		return
	}
	if o.slip >= 0 {
		b.slipped(&o, -1).insert(end, text)
		return
	}
	b.wrong(o.block.Open, "write its '}' "+where, "the block of %s is not closed", o.of.title()).insert(end, text)
}
