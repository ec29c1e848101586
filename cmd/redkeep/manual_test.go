package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"redkeep/internal/speak/config"
)

// manualFile is where `make deb` has the page written. The tests' program makes it, since it sees the whole command line and
// is no part of the binary: cobra's own generator would bring templates into that.
var manualFile = flag.String("manual", "", "write redkeep(1) to this file")

// manualEnd is what the commands' own help does not say.
const manualEnd = `.SH FILES
.TP
.I /etc/redkeep/redkeep.yaml
the configuration, the same on every node; see
.BR redkeep.yaml (5)
.TP
.I /var/lib/redkeep
what an agent has promised and must not forget: votes, grants and what it recorded of its server
.SH SIGNALS
.TP
.B SIGTERM, SIGINT
end
.BR "redkeep run" :
a master is handed over first, within five seconds
.TP
.B SIGUSR2
ends it for a restart: everything is left as it is for the agent that starts next, within 50 ms. Systemd sends it on
.BR "systemctl restart redkeep" .
.SH SEE ALSO
.BR redkeep.yaml (5),
.BR redis-server (1),
.BR nft (8)
`

// manual renders redkeep(1) from the commands' help.
func manual(root *cobra.Command) string {
	var b strings.Builder
	b.WriteString(".TH REDKEEP 1 \"\" \"Redkeep\" \"Redkeep\"\n.SH NAME\n")
	fmt.Fprintf(&b, "redkeep \\- %s\n", roff(strings.ToLower(root.Short[:1])+root.Short[1:]))
	b.WriteString(".SH SYNOPSIS\n.B redkeep\n.I COMMAND\n[\\fIFLAGS\\fR]\n.SH DESCRIPTION\n")
	about, codes, _ := strings.Cut(root.Long, "\n\nExit codes:\n")
	b.WriteString(roff(about) + "\n.SH COMMANDS\n")
	for _, c := range root.Commands() {
		manualOf(&b, c)
	}
	b.WriteString(".SH EXIT STATUS\n")
	for line := range strings.Lines(codes) {
		code, text, _ := strings.Cut(strings.TrimSpace(line), "  ")
		fmt.Fprintf(&b, ".TP\n.B %s\n%s\n", code, roff(text))
	}
	return b.String() + manualEnd
}

// manualOf renders one command, and then those below it.
func manualOf(b *strings.Builder, c *cobra.Command) {
	if c.Hidden || c.Name() == "help" {
		return
	}
	fmt.Fprintf(b, ".SS %s\n", roff(c.UseLine()))
	about := c.Long
	if about == "" {
		about = c.Short + "."
	}
	b.WriteString(roff(about) + "\n")
	c.NonInheritedFlags().VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		name := "--" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		value, usage := pflag.UnquoteUsage(f)
		if value != "" {
			value = ` \fI` + roff(value) + `\fR`
		}
		fmt.Fprintf(b, ".TP\n\\fB%s\\fR%s\n%s\n", roff(name), value, roff(usage))
	})
	if c.Example != "" {
		fmt.Fprintf(b, ".PP\n.EX\n%s\n.EE\n", roff(c.Example))
	}
	for _, sub := range c.Commands() {
		manualOf(b, sub)
	}
}

// roff keeps a text from being taken for commands to the typesetter, and makes its empty lines paragraphs.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, `-`, `\-`).Replace(text)
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		switch {
		case line == "":
			lines[i] = ".PP"
		case line[0] == '.' || line[0] == '\'':
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}

// TestManual renders the page, and writes it where it was asked for.
func TestManual(t *testing.T) {
	root := newRoot(streams{out: io.Discard, err: io.Discard})
	page := manual(root)
	for _, want := range []string{".SS redkeep gate shut", ".SS redkeep leave", `\-\-here`, ".SH EXIT STATUS\n.TP\n.B 0\ndone", "SIGUSR2"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %q", want)
		}
	}
	if *manualFile == "" {
		return
	}
	if err := os.WriteFile(*manualFile, []byte(page), 0o644); err != nil {
		t.Fatal(err)
	}
}

// keyOfFile finds the keys that the configuration's reader knows.
var keyOfFile = regexp.MustCompile(`\t\{"([a-z_]+)", func|r\.(?:inline|fromFile|duration|port)\([^",]*, "([a-z_]+)"`)

// TestManualOfTheFileIsWhole wants every key of redkeep.yaml in redkeep.yaml(5).
func TestManualOfTheFileIsWhole(t *testing.T) {
	page, err := os.ReadFile("../../dist/redkeep.yaml.5")
	if err != nil {
		t.Fatal(err)
	}
	sources, err := filepath.Glob("../../internal/speak/config/*.go")
	if err != nil {
		t.Fatal(err)
	}
	keys := 0
	for _, name := range sources {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range keyOfFile.FindAllStringSubmatch(string(text), -1) {
			keys++
			key := m[1] + m[2]
			if !strings.Contains(string(page), "\n.B "+key+"\n") {
				t.Errorf("%s reads %s, which redkeep.yaml(5) does not know: add it to dist/redkeep.yaml.5", filepath.Base(name), key)
			}
		}
	}
	if keys < 20 {
		t.Errorf("only %d keys were found in the reader's source", keys)
	}
	for name, value := range map[string]any{"lease": config.DefaultLease, "down_after": config.DefaultDownAfter, "listen_port": config.DefaultListenPort} {
		if !strings.Contains(string(page), fmt.Sprint("default ", value)) {
			t.Errorf("redkeep.yaml(5) has another default for %s than %v", name, value)
		}
	}
}
