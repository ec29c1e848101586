package table

import (
	"io"
	"strings"
	"unicode/utf8"
)

// colour is one of the few that are used, as its ANSI number.
type colour string

const (
	plain  colour = ""
	bold   colour = "1"
	red    colour = "31"
	green  colour = "32"
	yellow colour = "33"
)

// Style is how a printed page looks.
type Style struct {
	// Colour asks for ANSI colours: for terminals only.
	Colour bool
}

// paint colours a text, if colours are wanted.
func (s Style) paint(c colour, text string) string {
	if !s.Colour || c == plain || text == "" {
		return text
	}
	return "\x1b[" + string(c) + "m" + text + "\x1b[0m"
}

// cell is a text in a column.
type cell struct {
	text   string
	colour colour
}

// grid is a table whose first row are the heads of its columns.
type grid struct {
	style Style
	rows  [][]cell
	// right marks the columns of numbers.
	right map[int]bool
}

// write prints the rows with two blanks between columns, behind an indent, without blanks at the ends of lines.
func (g grid) write(w io.Writer, indent string) error {
	widths := map[int]int{}
	for _, row := range g.rows {
		for i, c := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(c.text))
		}
	}
	for _, row := range g.rows {
		line := indent
		for i, c := range row {
			gap := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(c.text))
			text := g.style.paint(c.colour, c.text)
			if g.right[i] {
				text, gap = gap+text, ""
			}
			line += text + gap + "  "
		}
		if _, err := io.WriteString(w, strings.TrimRight(line, " ")+"\n"); err != nil {
			return err
		}
	}
	return nil
}
