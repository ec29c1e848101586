package sentinels

import (
	"fmt"
	"os"
	"regexp"
	"strings"
)

// Line is one of a Sentinel's log.
type Line struct {
	// Level is the character in front of the text: '.' debug, '-' verbose, '*' notice, '#' warning.
	Level byte
	Text  string
}

// logLine is "PID:X 20 Nov 2026 18:00:00.000 # text".
var logLine = regexp.MustCompile(`^\d+:X \d\d \w{3} \d{4} \d\d:\d\d:\d\d\.\d{3} ([.*#-]) (.*)$`)

// Log returns what the Sentinel has logged over all of its lives; lines of another form are left out.
func (s *Sentinel) Log() ([]Line, error) {
	p := s.Process()
	if p == nil {
		return nil, nil
	}
	text, err := os.ReadFile(p.Log())
	if err != nil {
		return nil, fmt.Errorf("read log of sentinel on %s: %w", s.host.Name(), err)
	}
	var all []Line
	for line := range strings.Lines(string(text)) {
		if m := logLine.FindStringSubmatch(strings.TrimRight(line, "\n")); m != nil {
			all = append(all, Line{Level: m[1][0], Text: m[2]})
		}
	}
	return all, nil
}

// Tail returns the end of the log as it is, for the log of a test that fails.
func (s *Sentinel) Tail(n int) string {
	p := s.Process()
	if p == nil {
		return ""
	}
	text, _ := os.ReadFile(p.Log())
	return string(text[max(0, len(text)-n):])
}

// Lines returns the lines of the configuration as it is on disk that begin with a text.
func (s *Sentinel) Lines(prefix string) ([]string, error) {
	text, err := os.ReadFile(s.file)
	if err != nil {
		return nil, fmt.Errorf("read configuration of sentinel on %s: %w", s.host.Name(), err)
	}
	var found []string
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimRight(line, "\n"); strings.HasPrefix(line, prefix) {
			found = append(found, line)
		}
	}
	return found, nil
}

// Write replaces the configuration of a Sentinel that does not run.
func (s *Sentinel) Write(lines []string) error {
	if s.Running() {
		return fmt.Errorf("write configuration of sentinel on %s: it runs", s.host.Name())
	}
	return os.WriteFile(s.file, []byte(strings.Join(lines, "\n")+"\n"), 0o600)
}
