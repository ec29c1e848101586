package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"unicode/utf8"

	"golang.org/x/sys/unix"
)

// screen shows one frame after the other: on a terminal in place, elsewhere one below the other.
type screen struct {
	out  io.Writer
	live bool
	last []byte
	any  bool
}

// The sequences of a terminal that are used: a screen of its own without a cursor, and back to what was there before; the
// first place; what clears the rest of a line, and of the screen.
const (
	enterScreen = "\x1b[?1049h\x1b[?25l"
	leaveScreen = "\x1b[?25h\x1b[?1049l"
	home        = "\x1b[H"
	clearLine   = "\x1b[K"
	clearBelow  = "\x1b[J"
)

// more stands for what the window has no rows for.
const more = "… and more; a taller window shows it"

// openScreen begins. close must be called, whatever happens in between.
func openScreen(out io.Writer, live bool) *screen {
	s := &screen{out: out, live: live}
	if live {
		_, _ = io.WriteString(out, enterScreen)
	}
	return s
}

// close gives the terminal back as it was, with the last frame below what was there.
func (s *screen) close() {
	if s.live {
		_, _ = io.WriteString(s.out, leaveScreen)
		_, _ = s.out.Write(s.last)
	}
}

// show shows a frame, in one write, so that nothing flickers. Its error is that of the output.
func (s *screen) show(frame []byte) error {
	frame = append(bytes.TrimRight(frame, "\n"), '\n')
	s.last = frame
	if s.live {
		rows, columns := size(s.out)
		frame = inPlace(frame, rows, columns)
	} else if s.any && bytes.Count(frame, []byte("\n")) > 1 {
		frame = append([]byte("\n"), frame...)
	}
	s.any = true
	if _, err := s.out.Write(frame); err != nil {
		return fmt.Errorf("show the status: %w", err)
	}
	return nil
}

// inPlace writes the frame over the one before. What the window has no rows for is left out, since it would scroll.
func inPlace(frame []byte, rows, columns int) []byte {
	var b bytes.Buffer
	b.WriteString(home)
	lines := bytes.Split(bytes.TrimSuffix(frame, []byte("\n")), []byte("\n"))
	left := rows
	for i, line := range lines {
		needs := max(1, (width(line)+columns-1)/columns)
		if last := i == len(lines)-1; left < needs || left == needs && !last {
			b.WriteString(more + clearLine)
			break
		}
		left -= needs
		b.Write(line)
		b.WriteString(clearLine)
		if i < len(lines)-1 {
			b.WriteString("\r\n")
		}
	}
	b.WriteString(clearBelow)
	return b.Bytes()
}

// width counts the letters of a line, without the sequences that colour it.
func width(line []byte) int {
	n := 0
	for len(line) > 0 {
		if line[0] == 0x1b {
			end := bytes.IndexByte(line, 'm')
			if end < 0 {
				return n
			}
			line = line[end+1:]
			continue
		}
		_, size := utf8.DecodeRune(line)
		line = line[size:]
		n++
	}
	return n
}

// size is the terminal's; where it is not known, what terminals have always had.
func size(w io.Writer) (rows, columns int) {
	if file, ok := w.(*os.File); ok {
		if ws, err := unix.IoctlGetWinsize(int(file.Fd()), unix.TIOCGWINSZ); err == nil && ws.Row > 0 && ws.Col > 0 {
			return int(ws.Row), int(ws.Col)
		}
	}
	return 24, 80
}
