package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"redkeep/internal/speak/config"
	"redkeep/internal/speak/sentinelconf"
	"redkeep/internal/speak/sentinelconf/migration"
)

// importing is what `redkeep import` was asked for.
type importing struct {
	output     string
	force      bool
	secretFile string
	nodes      []string
}

// newImport builds `redkeep import`.
func newImport(s streams) *cobra.Command {
	var i importing
	cmd := &cobra.Command{
		Use:   "import FILE...",
		Short: "Make a redkeep.yaml of Sentinel's or keepalived's configuration",
		Long: `Make a redkeep.yaml of Sentinel's or keepalived's configuration, and say on standard error, line by
line, what was taken, what was dropped and why, and what only you know: that is marked EDIT in the file.
Name the sentinel.conf of every host, as Sentinel has rewritten it: one alone doesn't say
where its own Sentinel runs, and one that was never run doesn't know the replicas.
Or name the keepalived.conf of every host; where a file doesn't say its host's address, --node does, in the
order of the files. Scripts that they call are read for the server's port, if they are here, and not run.
No agent and no Sentinel is asked, and nothing but the output is written. Passwords are in the output alone; as a
file, it is then readable by its owner alone. It exits with 0 when the output is written, whether or not there is
something to edit; with 2 when a sentinel.conf is wrong (of a keepalived.conf, mistakes are told and passed over), and with 4 when the output exists already.`,
		Example: "  redkeep import -o redkeep.yaml h1/sentinel.conf h2/sentinel.conf h3/sentinel.conf\n" +
			"  redkeep import /etc/redis/sentinel.conf --node h1=10.0.0.11 --node h2=10.0.0.12 --node w=10.0.0.13\n" +
			"  redkeep import h1/keepalived.conf h2/keepalived.conf --node h1=10.0.0.11 --node h2=10.0.0.12",
		Args: cobra.MinimumNArgs(1),
	}
	cmd.Flags().StringVarP(&i.output, "output", "o", "", "write to `FILE` instead of standard output")
	cmd.Flags().BoolVar(&i.force, "force", false, "replace FILE if there is one")
	cmd.Flags().StringVar(&i.secretFile, "secret-file", "/etc/redkeep/secret", "the nodes' common secret is, or will be, in `FILE`")
	cmd.Flags().StringArrayVar(&i.nodes, "node", nil, "call a host so, or have one more host vote: `NAME=ADDRESS`; may be repeated")
	cmd.RunE = func(_ *cobra.Command, args []string) error { return i.run(s, args) }
	return cmd
}

// run reads, makes, writes and tells, in this order: the account is of what has been written.
func (i importing) run(s streams, names []string) error {
	answers := migration.Answers{SecretFile: i.secretFile}
	for _, n := range i.nodes {
		name, text, ok := strings.Cut(n, "=")
		addr, err := netip.ParseAddr(text)
		if !ok || name == "" || err != nil || !addr.IsGlobalUnicast() {
			return withCode(exitUsage, fmt.Errorf("read --node %s: not a name and an address that other hosts reach; write it as --node h1=10.0.0.11", n))
		}
		answers.Nodes = append(answers.Nodes, migration.Node{Name: name, Addr: addr.String()})
	}
	if is, err := ofKeepalived(names); err != nil {
		return withCode(exitUsage, err)
	} else if is {
		return i.keepalived(s, names, answers.Nodes)
	}
	files, unknown, err := readSentinels(names)
	if err != nil {
		return withCode(exitUsage, err)
	}
	answers.Scripts = readScripts(files)
	made := migration.Make(files, answers)
	if err := i.put(s, made); err != nil {
		return err
	}
	return i.tell(s.err, made, unknown)
}

// put writes the result where it is to go.
func (i importing) put(s streams, made migration.Result) error {
	if i.output == "" {
		_, err := s.out.Write(made.Text)
		return err
	}
	return i.write(made)
}

// write writes the file.
func (i importing) write(made migration.Result) error {
	mode := fs.FileMode(0o644)
	if made.Secrets {
		mode = 0o600
	}
	err := writeWhole(i.output, made.Text, mode, i.force)
	if errors.Is(err, fs.ErrExist) {
		return withCode(exitRefused, fmt.Errorf("write %s: there is such a file already; name another, or add --force to replace it", i.output))
	}
	return err
}

// readSentinels reads all files, and returns beside them what they have that Redis 7.0 does not know: a later one may, and
// none of it matters here.
func readSentinels(names []string) ([]*sentinelconf.File, map[string]sentinelconf.Problem, error) {
	var files []*sentinelconf.File
	var wrong []error
	masters, unknown := 0, make(map[string]sentinelconf.Problem)
	for _, name := range names {
		text, _, err := readUpTo(name, sentinelconf.MaxFile)
		if err != nil {
			wrong = append(wrong, fmt.Errorf("read the Sentinel's configuration: %w", err))
			continue
		}
		f, err := sentinelconf.Parse(name, text)
		if problems := (sentinelconf.Errors)(nil); errors.As(err, &problems) {
			for _, p := range problems {
				unknown[whereOf(p.File, p.Line)] = p
			}
			if serious := problems.But(sentinelconf.UnknownDirective); len(serious) > 0 {
				wrong = append(wrong, serious)
			}
		}
		files, masters = append(files, f), masters+len(f.Masters)
	}
	if len(wrong) == 0 && masters == 0 {
		wrong = append(wrong, errors.New("read the Sentinel's configuration: no master is monitored there; name a file with a line: sentinel monitor NAME HOST PORT QUORUM"))
	}
	return files, unknown, errors.Join(wrong...)
}

// whereOf is a line's place as a key.
func whereOf(file string, line int) string { return fmt.Sprintf("%s:%d", file, line) }

// readScripts reads the scripts that may move an address, as far as they are here and small: they serve as hints alone.
func readScripts(files []*sentinelconf.File) map[string][]byte {
	const most = 64 << 10
	scripts := make(map[string][]byte)
	for _, f := range files {
		for _, m := range f.Masters {
			if _, known := scripts[m.ReconfigScript]; known || !filepath.IsAbs(m.ReconfigScript) {
				continue
			}
			text, _, err := readUpTo(m.ReconfigScript, most)
			if err != nil || len(text) > most {
				text = nil
			}
			scripts[m.ReconfigScript] = text
		}
	}
	return scripts
}

// tell writes the account, and what `redkeep check` would say of the output here and now.
func (i importing) tell(w io.Writer, made migration.Result, unknown map[string]sentinelconf.Problem) error {
	var b strings.Builder
	for _, n := range made.Notes {
		if p, is := unknown[whereOf(n.File, n.Line)]; is && n.Fate == migration.Dropped {
			n.Text = p.What + "; " + p.Do
		}
		fmt.Fprintln(&b, n)
	}
	name := i.output
	if name == "" {
		name = "redkeep.yaml"
	}
	_, err := config.Parse(name, 0o600, made.Text, readFile)
	if err == nil {
		fmt.Fprintf(&b, "%s is good as it is; what asks above is for you to look at\n", name)
	} else {
		fmt.Fprintf(&b, "%v\nedit these places, then run: redkeep check -c %s\n", err, name)
	}
	_, err = io.WriteString(w, b.String())
	return err
}
