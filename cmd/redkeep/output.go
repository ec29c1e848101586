package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
)

// format is the value of -o: text for people, or json for programs.
type format string

const (
	formatText format = "text"
	formatJSON format = "json"
)

// String, Set and Type make format a flag's value that refuses other words.
func (f *format) String() string { return string(*f) }

// Type names the value in the help.
func (f *format) Type() string { return "text|json" }

// Set takes the flag's word.
func (f *format) Set(word string) error {
	switch format(word) {
	case formatText, formatJSON:
		*f = format(word)
		return nil
	default:
		return fmt.Errorf("unknown format %q; use text or json", word)
	}
}

// addFormat gives a command the flag -o.
func addFormat(cmd *cobra.Command) *format {
	f := formatText
	cmd.Flags().VarP(&f, "output", "o", "print `text|json`")
	return &f
}

// writeJSON prints a value as indented JSON.
func writeJSON(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(v); err != nil {
		return fmt.Errorf("print the result: %w", err)
	}
	return nil
}

// shade is a terminal's colour, as the number in its escape sequence.
type shade int

const (
	yellow shade = 33
	bold   shade = 1
	faint  shade = 2
)

// coloured reports whether w shows colours, and its user has not asked for plain text (NO_COLOR, TERM=dumb).
func coloured(w io.Writer) bool { return os.Getenv("NO_COLOR") == "" && terminal(w) }

// paint colours a text where colours are shown.
func paint(w io.Writer, s shade, text string) string {
	if text == "" || !coloured(w) {
		return text
	}
	return fmt.Sprintf("\x1b[%dm%s\x1b[0m", s, text)
}
