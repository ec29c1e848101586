package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"redkeep/internal/stage/need"
)

// tree is the repository's root, from this package's directory.
const tree = "../.."

// begins says how each page finds the hosts; a page that is not here finds Redkeep on all of them.
var begins = map[string]found{
	"three-hosts.md":             foundBare,
	"adopt.md":                   foundRedis,
	"migrate-from-sentinel.md":   foundQuorum,
	"migrate-from-keepalived.md": foundRouters, // TestKeepalivedImport follows it
	"two-hosts.md":               foundPair,
	"five-minutes.md":            foundBare,
	"limits.md":                  foundBare,
	"README.md":                  foundBare,
}

// TestDocs does everything that docs/ and the README tell their reader to do, in their order, each page on a site of its own.
func TestDocs(t *testing.T) {
	needTyping(t)
	for _, path := range pages(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			p, err := readPage(path)
			if err != nil {
				t.Fatal(err)
			}
			f, ok := begins[filepath.Base(path)]
			if !ok {
				f = foundKept
			}
			if len(p.steps) == 0 || f == foundRouters {
				return
			}
			ctx, cancel := context.WithTimeout(t.Context(), pageLimit)
			defer cancel()
			s := newReaders(t, tree, f)
			for _, st := range p.steps {
				if err := s.follow(ctx, st); err != nil {
					t.Fatalf("%s:%d: %s%s: %v", path, st.line, st.command, st.direction, err)
				}
			}
		})
	}
}

// needTyping skips a test of pages where what they have typed can't be.
func needTyping(t *testing.T) {
	t.Helper()
	for _, program := range []string{"redis-cli", "nft", "ip", "openssl", "unshare", "nsenter"} {
		if _, err := exec.LookPath(program); err != nil {
			need.Program(t, "the pages use it: ", err)
		}
	}
	if os.Getuid() != 0 || os.Chown(t.TempDir(), nobody, nobody) != nil {
		need.Right(t, "what the pages have typed needs root, and other users")
	}
}

func pages(t *testing.T) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(tree, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	return append(all, filepath.Join(tree, "README.md"))
}

// TestDocsNames holds every command line that the pages name, within a sentence too, against the program's own help, and
// every link against the tree.
func TestDocsNames(t *testing.T) {
	h := help{}
	s := &readers{t: t, tree: tree}
	for _, path := range pages(t) {
		p, err := readPage(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, said := range p.spoken {
			switch program, rest, _ := strings.Cut(said.text, " "); program {
			case "make":
				err = s.verb(strings.Fields(rest))
			case "go":
				err = tests(rest)
			default:
				err = h.knows(said.text)
			}
			if err != nil {
				t.Errorf("%s:%d: %s: %v", path, said.line, said.text, err)
			}
		}
		for _, l := range p.links {
			if err := leads(path, l.text); err != nil {
				t.Errorf("%s:%d: the link leads nowhere: %v", path, l.line, err)
			}
		}
	}
}

// leads checks that a link within the tree names a file, and a heading that the file has.
func leads(from, link string) error {
	target, heading, _ := strings.Cut(link, "#")
	if strings.Contains(link, "://") {
		return nil
	}
	path := from
	if target != "" {
		path = filepath.Join(filepath.Dir(from), target)
	}
	text, err := os.ReadFile(path)
	if err != nil || heading == "" {
		return err
	}
	for line := range strings.Lines(string(text)) {
		if title := strings.TrimLeft(line, "#"); title != line && anchor(title) == heading {
			return nil
		}
	}
	return fmt.Errorf("%s has no heading %q", path, heading)
}

// anchor is what a heading is called in links: small letters, digits and hyphens.
func anchor(title string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
			return unicode.ToLower(r)
		}
		return -1
	}, strings.TrimSpace(title))
}

var ofTheLab = regexp.MustCompile(`^test \./prove/lab -run (Test\w+) -v$`)

// tests checks that a command line names a test of the lab.
func tests(line string) error {
	found := ofTheLab.FindStringSubmatch(line)
	if found == nil {
		return errors.New("it does not read: go test ./prove/lab -run TestName -v")
	}
	files, err := filepath.Glob("*_test.go")
	for _, file := range files {
		text, _ := os.ReadFile(file)
		if strings.Contains(string(text), "func "+found[1]+"(t *testing.T)") {
			return nil
		}
	}
	return errors.Join(err, fmt.Errorf("there is no %s", found[1]))
}

// TestDocsLines keeps pages readable in a terminal.
func TestDocsLines(t *testing.T) {
	for _, path := range pages(t) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(text), "\n") {
			limit := 140
			if filepath.Base(path) == "README.md" || strings.HasPrefix(line, "|") || strings.HasPrefix(line, "  ") {
				limit = 320 // a table, or what a program prints
			}
			if n := utf8.RuneCountInString(line); n > limit {
				t.Errorf("%s:%d: %d characters are more than %d", path, i+1, n, limit)
			}
		}
	}
}

// help is the program's own help of each of its commands, as far as it was asked for.
type help map[string]string

var aFlag = regexp.MustCompile(`(?:^|[\s\[(|])(--?[a-z][a-z-]*)`)

// knows checks that a command line names a command and flags that there are.
func (h help) knows(line string) error {
	line, _, _ = strings.Cut(line, "|")
	words := strings.Fields(line)[1:]
	var path []string
	for len(words) > 0 && regexp.MustCompile(`^[a-z]+$`).MatchString(words[0]) {
		text, err := h.of(append(path, words[0]))
		if err != nil {
			return err
		}
		if !strings.Contains(text, "\n  redkeep "+strings.Join(append(path, words[0]), " ")) {
			break // an argument, or no command at all
		}
		path, words = append(path, words[0]), words[1:]
	}
	if len(path) == 0 && len(words) > 0 && !strings.HasPrefix(words[0], "-") {
		return fmt.Errorf("there is no command %q", words[0])
	}
	text, err := h.of(path)
	if err != nil {
		return err
	}
	for _, found := range aFlag.FindAllStringSubmatch(strings.Join(words, " "), -1) {
		if !regexp.MustCompile(`(?m)(^|[\s,])` + regexp.QuoteMeta(found[1]) + `([\s,]|$)`).MatchString(text) {
			return fmt.Errorf("redkeep %s has no flag %s", strings.Join(path, " "), found[1])
		}
	}
	return nil
}

func (h help) of(path []string) (string, error) {
	key := strings.Join(path, " ")
	if text, ok := h[key]; ok {
		return text, nil
	}
	out, err := exec.Command(binary, append(append([]string{}, path...), "--help")...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	h[key] = string(out)
	return string(out), nil
}
