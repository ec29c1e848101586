package lab

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// page is what a page of the documentation tells its reader to do, in its order.
type page struct {
	path  string
	steps []step
	// spoken are all command lines of redkeep on the page, those within a sentence too, with their line numbers.
	spoken []saying
	// links are what the page's links lead to.
	links []saying
}

// saying is a piece of a page's text and the line that it is on.
type saying struct {
	line int
	text string
}

// step is one thing that the reader does: a command with what it should print, a file to write, or, unseen by the reader,
// something that happens to the lab's hosts.
type step struct {
	line int
	// where is the prompt: a host, each (all hosts in turn), app (the host of the clients), or "" for the reader's own machine.
	where   string
	command string
	// exits is the exit code that the command's comment names.
	exits int
	// output is what should be printed; nil where the page does not show it.
	output []string
	// yaml is a configuration that is shown, and path the file that it is to be, if the block's first line says so.
	yaml, path string
	// direction is what happens to the hosts: the text of a comment <!-- lab: ... -->.
	direction string
}

var (
	prompt    = regexp.MustCompile(`^(?:(h[1-9]|each|app)[#$]|\$) (.+)$`)
	exitsNote = regexp.MustCompile(`\s+# exits (\d+)$`)
	wholeNote = regexp.MustCompile(`\s+#\s.*$`)
	lastWord  = regexp.MustCompile(`^<!-- lab: (.+) -->$`)
	inline    = regexp.MustCompile("`([^`]+)`")
	link      = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	namedFile = regexp.MustCompile(`^# (/[^\s,:]+)`)
)

// readPage reads a Markdown file. A fenced block is console (prompts and what is printed), sh (commands on the reader's own
// machine), yaml (a configuration), or text (nothing to be tried). An indented block, as the README has them, is a
// configuration if it looks like one, and commands otherwise.
func readPage(path string) (*page, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	p := &page{path: path}
	lines := strings.Split(string(text), "\n")
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		switch {
		case strings.HasPrefix(line, "```"):
			end := slices.Index(lines[i+1:], "```")
			if end < 0 {
				return nil, fmt.Errorf("%s:%d: the block has no end", path, i+1)
			}
			if err := p.block(strings.TrimPrefix(line, "```"), i+2, lines[i+1:i+1+end]); err != nil {
				return nil, err
			}
			i += end + 1
		case strings.HasPrefix(line, "    ") && i > 0 && lines[i-1] == "":
			end := i
			for end < len(lines) && (strings.HasPrefix(lines[end], "    ") || lines[end] == "" && end+1 < len(lines) && strings.HasPrefix(lines[end+1], "    ")) {
				end++
			}
			p.indented(i+1, lines[i:end])
			i = end - 1
		default:
			p.prose(i+1, line)
		}
	}
	return p, nil
}

// prose takes out of a line of text what can be held against the program and the tree.
func (p *page) prose(n int, line string) {
	if found := lastWord.FindStringSubmatch(line); found != nil {
		p.steps = append(p.steps, step{line: n, direction: found[1]})
		return
	}
	for _, found := range inline.FindAllStringSubmatch(line, -1) {
		p.said(n, found[1])
	}
	for _, found := range link.FindAllStringSubmatch(inline.ReplaceAllString(line, ""), -1) {
		p.links = append(p.links, saying{n, found[1]})
	}
}

// said keeps a command line of redkeep's, of make's, or of a test's.
func (p *page) said(n int, text string) {
	text = strings.TrimPrefix(text, "./bin/")
	for _, program := range []string{"redkeep ", "make ", "go test "} {
		if strings.HasPrefix(text, program) {
			p.spoken = append(p.spoken, saying{n, text})
		}
	}
}

func (p *page) block(language string, first int, lines []string) error {
	switch language {
	case "console":
		return p.console(first, lines)
	case "sh":
		for i, line := range lines {
			if line != "" && !strings.HasPrefix(line, "#") {
				p.command(first+i, "", line)
			}
		}
	case "yaml":
		p.configuration(first, lines)
	case "text":
	default:
		return fmt.Errorf("%s:%d: a block of %q; use console, sh, yaml or text", p.path, first-1, language)
	}
	return nil
}

// console reads prompts and what follows each of them.
func (p *page) console(first int, lines []string) error {
	open := false
	for i, line := range lines {
		if found := prompt.FindStringSubmatch(line); found != nil {
			p.command(first+i, found[1], found[2])
			open = true
			continue
		}
		if !open {
			return fmt.Errorf("%s:%d: a block of console begins with a prompt: h1# or app$", p.path, first+i)
		}
		last := &p.steps[len(p.steps)-1]
		last.output = append(last.output, line)
	}
	return nil
}

// command adds one. A comment at its end is for the reader, and names the exit code where that is not 0.
func (p *page) command(n int, where, text string) {
	s := step{line: n, where: where}
	if found := exitsNote.FindStringSubmatch(text); found != nil {
		s.exits, _ = strconv.Atoi(found[1]) // digits
	}
	s.command = strings.TrimSpace(wholeNote.ReplaceAllString(text, ""))
	p.steps = append(p.steps, s)
	p.said(n, s.command)
}

func (p *page) configuration(first int, lines []string) {
	s := step{line: first, yaml: strings.Join(lines, "\n") + "\n"}
	if found := namedFile.FindStringSubmatch(lines[0]); found != nil {
		s.path = found[1]
	}
	p.steps = append(p.steps, s)
}

// indented reads a block of the README.
func (p *page) indented(first int, lines []string) {
	for i := range lines {
		lines[i] = strings.TrimPrefix(lines[i], "    ")
	}
	if slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, "groups:") }) {
		// The commands that follow on a configuration are set apart by an empty line.
		n := len(lines)
		if last := slices.Index(lines, ""); last >= 0 {
			n = last
		}
		p.configuration(first, lines[:n])
		first, lines = first+n, lines[n:]
	}
	for i, line := range lines {
		if line != "" && !strings.HasPrefix(line, "#") {
			p.command(first+i, "", line)
		}
	}
}
