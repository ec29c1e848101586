package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"redkeep/internal/speak/keepalivedconf"
)

// keepalivedFile is where keepalived's own package puts the configuration.
const keepalivedFile = "/etc/keepalived/keepalived.conf"

// keepalivedCheck is what `redkeep keepalived` was asked for.
type keepalivedCheck struct {
	test, repair, elsewhere bool
	// status asks what runs; named says that a file or a pid file was named.
	status, named bool
	files         []string
	pid           string
	output        *format
}

// newKeepalived builds `redkeep keepalived`.
func newKeepalived(s streams) *cobra.Command {
	var k keepalivedCheck
	cmd := &cobra.Command{
		Use:   "keepalived [-t | --status] [-f FILE ...]",
		Short: "Be a VRRP router with a keepalived.conf, in keepalived's place, or check the file",
		Long: `Be a VRRP router with a keepalived.conf, in keepalived's place: in the foreground, with the same virtual
addresses, checks and scripts, and with real keepaliveds as the other routers. An address has a life of
its own here, renewed with each advertisement that has really left: a router that is killed or frozen has
lost its address by the time that another one takes it. Scripts of an instance run one at a time, and a
check that can't be run has failed. SIGHUP reads the file again, SIGTERM ends it. One host runs a router once.

--status asks what runs on this host, as root: each virtual router's state and since when, its priority with
the checks' weights, who is the master (VRRP can't prove who speaks), which addresses are here, what failed,
and which router it holds back for, with both values.

-t checks the file, one line for each mistake: file:line:column, what is wrong, what to do. Besides what keepalived says itself, it finds what that drops without a word: checks that can't be run
or can't move the address, values in the wrong place, addresses that nobody would look for.

With several -f the files are those of several hosts, and are held against each other: passwords,
intervals, versions, addresses, priorities. This host is then not looked at.

--repair prints the file with every plain repair to standard output, and changes nothing on disk; what is
left for you to decide is told on standard error.

It exits with 0 when nothing is wrong (warnings alone are no mistake), with 1 when something is, with 2
when a FILE can't be read or the arguments are wrong, and with 3 when --status finds nothing that answers.`,
		Example: "  redkeep keepalived -f /etc/keepalived/keepalived.conf\n" +
			"  redkeep keepalived --status\n" +
			"  redkeep keepalived -t -f /etc/keepalived/keepalived.conf\n" +
			"  redkeep keepalived -t -f h1/keepalived.conf -f h2/keepalived.conf\n" +
			"  redkeep keepalived -t -f keepalived.conf --repair > repaired.conf",
		Args: cobra.NoArgs,
	}
	cmd.Flags().BoolVarP(&k.test, "config-test", "t", false, "check the configuration")
	cmd.Flags().StringArrayVarP(&k.files, "use-file", "f", []string{keepalivedFile}, "the configuration `FILE`; may be repeated for the other hosts'")
	cmd.Flags().BoolVar(&k.status, "status", false, "say what the virtual routers that run on this host do")
	cmd.Flags().BoolVar(&k.repair, "repair", false, "print the repaired file")
	cmd.Flags().BoolVar(&k.elsewhere, "elsewhere", false, "the file is another host's: don't look for its programs and interfaces here")
	k.output = addFormat(cmd)
	cmd.Flags().StringVarP(&k.pid, "pid", "p", "", "write this process's number to a `FILE`")
	// What Debian's unit starts keepalived with. This program is never anywhere but in the foreground.
	cmd.Flags().BoolP("dont-fork", "n", false, "stay in the foreground, as this program always does")
	cmd.Flags().BoolP("log-console", "l", false, "log to standard error, as this program always does")
	cmd.Flags().BoolP("log-detail", "D", false, "log in detail, as this program always does")
	cmd.Flags().BoolP("vrrp", "P", false, "run the virtual routers and no load balancer, as this program always does")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		k.named = cmd.Flags().Changed("use-file") || cmd.Flags().Changed("pid")
		return k.run(cmd.Context(), s)
	}
	return cmd
}

// run reads the files and says what is wrong.
func (k keepalivedCheck) run(ctx context.Context, s streams) error {
	switch testing := k.test || k.repair; {
	case k.status && (testing || k.elsewhere || k.named):
		return withCode(exitUsage, errors.New("keepalived --status: it asks what runs, whatever the file; leave -t, -f, -p, --repair and --elsewhere out"))
	case k.status:
		return k.ask(ctx, s, keepalivedRunDir)
	case !testing && (k.elsewhere || *k.output != formatText):
		return withCode(exitUsage, errors.New("run keepalived: --elsewhere and -o are for checking a file; write -t, or --status for -o, or leave them out"))
	case !testing:
		return k.serve(ctx, s)
	case k.repair && (len(k.files) > 1 || *k.output != formatText):
		return withCode(exitUsage, errors.New("repair: one file at a time, as text; name one -f, without -o"))
	}
	var texts [][]byte
	for _, name := range k.files {
		text, _, err := readUpTo(name, keepalivedconf.MaxFile)
		if err != nil {
			return withCode(exitUsage, fmt.Errorf("read the configuration: %w; name it with -f FILE", err))
		}
		texts = append(texts, text)
	}
	if k.repair {
		return k.repaired(s, texts[0])
	}
	configs, problems := k.look(texts)
	if *k.output == formatJSON {
		if err := writeJSON(s.out, keepalivedMeaningOf(k.files, configs, problems)); err != nil {
			return err
		}
	}
	if wrong := keepalivedconf.Serious(problems); len(wrong) > 0 {
		return k.complaint(s, wrong, problems)
	}
	if *k.output == formatJSON {
		return nil
	}
	return printKeepalived(s.out, k.files, configs, problems)
}

// look reads the files' texts, and looks at this host for a single one.
func (k keepalivedCheck) look(texts [][]byte) (configs []*keepalivedconf.Config, problems []keepalivedconf.Problem) {
	for i, text := range texts {
		c, err := keepalivedconf.Parse(k.files[i], text, includeFiles)
		if wrong := (keepalivedconf.Errors)(nil); errors.As(err, &wrong) {
			problems = append(problems, wrong...)
		}
		configs, problems = append(configs, c), append(problems, c.Warnings...)
	}
	if len(texts) == 1 && !k.elsewhere {
		problems = append(problems, configs[0].On(thisHost{})...)
	}
	return configs, append(problems, keepalivedconf.Compare(configs)...)
}

// complaint is the error for a person: the mistakes, and that a repair is to be had. In JSON they have been printed already.
func (k keepalivedCheck) complaint(s streams, wrong keepalivedconf.Errors, problems []keepalivedconf.Problem) error {
	if *k.output == formatJSON {
		return withCode(exitFailed, fmt.Errorf("check the configuration: %d mistakes", len(wrong)))
	}
	if err := warnKeepalived(s.err, problems); err != nil {
		return err
	}
	n := 0
	for _, p := range problems {
		if len(p.Repair) > 0 {
			n++
		}
	}
	if n == 0 || len(k.files) > 1 {
		return withCode(exitFailed, wrong)
	}
	return withCode(exitFailed, errors.Join(wrong, fmt.Errorf("%d of these can be repaired: redkeep keepalived -t -f %s --repair", n, k.files[0])))
}

// mostRepairs is how often a file is repaired anew: one repair may uncover what another mends.
const mostRepairs = 5

// repaired prints the repaired file, and tells what is left.
func (k keepalivedCheck) repaired(s streams, text []byte) error {
	var problems []keepalivedconf.Problem
	for range mostRepairs {
		var configs []*keepalivedconf.Config
		configs, problems = k.look([][]byte{text})
		next := keepalivedconf.Repaired(configs[0].Files[0], problems)
		if string(next) == string(text) {
			break
		}
		text = next
	}
	if _, err := s.out.Write(text); err != nil {
		return fmt.Errorf("print the file: %w", err)
	}
	if err := warnKeepalived(s.err, problems); err != nil {
		return err
	}
	if wrong := keepalivedconf.Serious(problems); len(wrong) > 0 {
		return withCode(exitFailed, wrong)
	}
	return nil
}

// warnKeepalived writes what is allowed and worth a sentence.
func warnKeepalived(w io.Writer, problems []keepalivedconf.Problem) error {
	for _, p := range problems {
		if p.Warning {
			if _, err := fmt.Fprintf(w, "%s %s\n", paint(w, yellow, "warning:"), p); err != nil {
				return err
			}
		}
	}
	return nil
}
