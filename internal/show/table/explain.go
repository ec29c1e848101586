package table

import (
	"fmt"
	"io"
	"strings"
	"time"

	"redkeep/internal/picture"
	"redkeep/internal/speak/explain"
	"redkeep/internal/words"
)

// Explain prints who would win an election of the group now and what keeps each of the others out, then what the node
// has decided and refused of late. Its only errors are those of w.
func Explain(w io.Writer, g picture.Group, s Style) error {
	p := &page{to: w, style: s}
	p.line("", "%s", p.headline(g))
	p.pause(g)
	p.failover(g)
	if g.State != picture.StateLeft {
		p.election(g)
	}
	if len(g.Recent) > 0 {
		p.line("", "")
		p.line("", "of late:")
		p.noted(g.Recent)
	}
	return p.err
}

// election says who would win one, and what keeps each of the others out.
func (p *page) election(g picture.Group) {
	p.line("", "")
	p.line("", "who would win an election now:")
	for _, c := range g.Candidates {
		switch {
		case c.Place == 1:
			p.line("  ", "%s  %s would win", p.style.paint(green, "1"), c.Node)
		case c.Place > 1:
			p.line("  ", "%d  %s", c.Place, c.Node)
		case c.Out.Code == words.ServersDiffer:
			p.line("  ", "-  %s if a person chooses it", c.Node)
		default:
			p.line("  ", "-  %s", about(c.Node, c.Out, "can't be promoted"))
		}
	}
	if len(g.Candidates) == 0 {
		p.line("  ", "-  nobody")
	}
	for _, m := range sorted(g.Members) {
		if !m.Data {
			p.line("  ", "-  %s", about(m.Node, m.Unfit, "has no server of this group"))
		}
	}
}

// about is the reason's sentence, with the node in front of it where it does not name the node.
func about(n words.Node, r words.Reason, otherwise string) string {
	switch {
	case r.Zero():
		return string(n) + " " + otherwise
	case r.Node == n:
		return explain.Sentence(r)
	default:
		return string(n) + ": " + explain.Sentence(r)
	}
}

// History prints what a node has decided and refused, oldest first, each with its time on this machine's clock.
func History(w io.Writer, entries []picture.Noted, s Style) error {
	t := grid{style: s, right: map[int]bool{1: true}}
	for _, e := range entries {
		t.rows = append(t.rows, []cell{{e.At.Local().Format("2006-01-02 15:04:05.000"), plain}, {ago(e.Ago), plain}, {explain.Sentence(e.Reason), plain}})
	}
	return t.write(w, "")
}

func (p *page) noted(entries []picture.Noted) {
	t := grid{style: p.style, right: map[int]bool{0: true}}
	for _, e := range entries {
		t.rows = append(t.rows, []cell{{ago(e.Ago), plain}, {explain.Sentence(e.Reason), plain}})
	}
	if p.err == nil {
		p.err = t.write(p.to, "  ")
	}
}

// ago prints an age in the unit that people would use.
func ago(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return fmt.Sprintf("%d ms ago", d.Milliseconds())
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s ago", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min ago", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h ago", int(d.Hours()))
	default:
		return fmt.Sprintf("%d days ago", int(d.Hours()/24))
	}
}

// span prints what is left of a time: 8m12s, or 2h5m.
func span(d time.Duration) string {
	d = d.Round(time.Second)
	if d >= time.Hour {
		return strings.TrimSuffix(d.Round(time.Minute).String(), "0s")
	}
	return d.String()
}
