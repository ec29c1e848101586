package lab

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"redkeep/internal/stage"
	"redkeep/internal/stage/need"
	"redkeep/internal/stage/sentinels"
)

// cliHelp is what a person types into redis-cli to be told of commands. redis-cli asks the Sentinel for them when it starts.
const cliHelp = "HELP SENTINEL\nHELP SENTINEL FAILOVER\nHELP @sentinel\nHELP @pubsub\nHELP @connection\nHELP PING\nHELP nosuch\nPING\n"

// cliTyped are lines that a person begins and has redis-cli complete, with as many tabs as there are keys to press.
var cliTyped = []string{"sen\t\t\t", "SENTINEL F\t", "sentinel ma\t\t", "sentinel g\t", "psub\t", "client l\t", "help @sen\t", "help sentinel mon\t"}

// redisCLI has redis-cli help and complete at the site as it does at redis-sentinel, where a bare one stands beside it.
func (s *clientSite) redisCLI(t *testing.T) {
	if lacking := lacks(t, "redis-cli", "redis-cli", "--version"); lacking != "" {
		need.Program(t, lacking)
	}
	host := s.Client()
	program, err := sentinels.Real(s.Stage)
	if err != nil {
		t.Fatal(err)
	}
	bare, err := sentinels.Add(host, sentinels.Config{Program: program})
	if err == nil {
		err = bare.Start(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	defer bare.Close()
	here, there := s.Hosts()[0].Port(stage.FacePort).Addr().String(), host.Addr().String()
	if got, want := topics(helpFrom(t, host, here)), topics(helpFrom(t, host, there)); !slices.Equal(got, want) {
		for _, line := range got {
			if !slices.Contains(want, line) {
				t.Errorf("redis-cli helps with %q, and not so at redis-sentinel", line)
			}
		}
		for _, line := range want {
			if !slices.Contains(got, line) {
				t.Errorf("redis-cli does not help with %q, as at redis-sentinel", line)
			}
		}
		t.Errorf("redis-cli helps with %d commands, and at redis-sentinel with %d", len(got), len(want))
	}
	for _, keys := range cliTyped {
		got, want := completedAt(t, host, here, keys), completedAt(t, host, there, keys)
		t.Logf("%q: %q", keys, want)
		if !slices.Equal(got, want) {
			t.Errorf("%q is completed to %q, and at redis-sentinel to %q", keys, got, want)
		}
	}
}

// helpFrom is what redis-cli prints for the lines of cliHelp.
func helpFrom(t *testing.T, from *stage.Host, at string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "nsenter", "--net="+from.Namespace(), "redis-cli", "-h", at, "-p", fmt.Sprint(stage.FacePort))
	cmd.Stdin = strings.NewReader(cliHelp)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("redis-cli at %s: %v: %s", at, err, out)
	}
	return string(out)
}

var (
	// escapes are a terminal's colours and movements.
	escapes = regexp.MustCompile("\x1b\\[[0-9;]*[A-Za-z]")
	// topic is the first line of a command's help: its name, and behind it the arguments.
	topic = regexp.MustCompile(`(?m)^  \x1b\[1m(.*?)\x1b\[0m`)
)

// topics is what of redis-cli's help is no wording, a line for each command: since when it is there, and its group. What
// follows a name are its arguments.
func topics(text string) []string {
	text = topic.ReplaceAllString(text, "  name: $1\n  arguments:")
	var found []string
	for line := range strings.Lines(escapes.ReplaceAllString(text, "")) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		value = strings.TrimSpace(value)
		switch {
		case key == "name":
			found = append(found, value)
		case len(found) == 0 || key == "arguments":
		case key == "summary" && value != "":
			found[len(found)-1] += ", with a summary"
		default:
			found[len(found)-1] += ", " + strings.TrimSpace(line)
		}
	}
	return found
}

// cliPrompt is what redis-cli shows when it waits for a line.
const cliPrompt = "> "

// completedAt types keys into a redis-cli that runs on a terminal, and returns the line as it was after each tab.
func completedAt(t *testing.T, from *stage.Host, at, keys string) []string {
	t.Helper()
	screen, keyboard := terminal(t)
	screen.of = "redis-cli -h " + at
	cmd := exec.CommandContext(t.Context(), "nsenter", "--net="+from.Namespace(), "redis-cli", "-h", at, "-p", fmt.Sprint(stage.FacePort))
	cmd.Env = append(os.Environ(), "TERM=xterm", "HOME="+t.TempDir())
	cmd.Stdin, cmd.Stdout, cmd.Stderr = keyboard, keyboard, keyboard
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	screen.until(t, func(line string) bool { return line == "" })
	var lines []string
	for i, key := range keys {
		if _, err := screen.file.Write([]byte(string(key))); err != nil {
			t.Fatal(err)
		}
		if key != '\t' {
			screen.until(t, func(line string) bool { return line == keys[:i+1] })
			continue
		}
		before := strings.TrimRight(keys, "\t")
		if len(lines) > 0 {
			before = lines[len(lines)-1]
		}
		lines = append(lines, screen.until(t, func(line string) bool { return line != before }))
	}
	return lines
}

// glass is the screen of a terminal, as far as one line goes.
type glass struct {
	of   string
	file *os.File
	text []byte
}

// terminal makes one with a screen on this side and a keyboard on the program's.
func terminal(t *testing.T) (*glass, *os.File) {
	t.Helper()
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		need.Right(t, "terminals: ", err)
	}
	t.Cleanup(func() { _ = screen.Close() })
	number, err := unix.IoctlGetInt(int(screen.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(screen.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		err = unix.IoctlSetWinsize(int(screen.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 120})
	}
	if err != nil {
		t.Fatal(err)
	}
	keyboard, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = keyboard.Close() })
	return &glass{file: screen}, keyboard
}

// until reads what is drawn until the line is as wanted, and returns what stands behind the prompt.
func (g *glass) until(t *testing.T, ok func(line string) bool) string {
	t.Helper()
	if err := g.file.SetReadDeadline(time.Now().Add(15 * time.Second)); err != nil {
		t.Fatal(err)
	}
	buffer := make([]byte, 4096)
	for {
		n, err := g.file.Read(buffer)
		if err != nil {
			t.Fatalf("the terminal of %s shows %q: %v", g.of, g.text, err)
		}
		g.text = append(g.text, buffer[:n]...)
		if line, whole := g.line(); whole && ok(line) {
			return line
		}
	}
}

// drawn is the end of a line that was drawn whole: after it the cursor goes back to where one types. What redis-cli proposes
// as arguments stands behind the cursor, and is no part of the line.
var drawn = regexp.MustCompile(`\r([^\r]*)\r\x1b\[(\d+)C$`)

func (g *glass) line() (line string, whole bool) {
	found := drawn.FindSubmatch(g.text)
	if found == nil {
		return "", bytes.HasSuffix(g.text, []byte(cliPrompt))
	}
	text := escapes.ReplaceAllString(string(found[1]), "")
	if cursor, err := strconv.Atoi(string(found[2])); err == nil && cursor <= len(text) {
		text = text[:cursor]
	}
	_, line, whole = strings.Cut(text, cliPrompt)
	return line, whole
}
