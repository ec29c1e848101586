package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"redkeep/internal/agent/keepalived"
	"redkeep/internal/speak/explain"
)

// keepalivedStates is what the processes of this host answer, as JSON.
type keepalivedStates struct {
	Processes []keepalived.Status `json:"processes"`
}

// ask asks the running processes and prints what they know. What one has answered is printed even where another has not.
func (k keepalivedCheck) ask(ctx context.Context, s streams, runDir string) error {
	all, err := keepalived.Ask(ctx, runDir)
	if errors.Is(err, keepalived.ErrNotRunning) {
		err = fmt.Errorf("%w; start it with: redkeep keepalived -f %s, or see its log if it runs", err, keepalivedFile)
	}
	if len(all) > 0 {
		printed := error(nil)
		if *k.output == formatJSON {
			printed = writeJSON(s.out, keepalivedStates{all})
		} else {
			printed = printKeepalivedStates(s.out, all)
		}
		if printed != nil {
			return printed
		}
	}
	return withCode(exitNoAgent, err)
}

// printKeepalivedStates prints a line for each virtual router, and beneath what is wrong with them.
func printKeepalivedStates(out io.Writer, all []keepalived.Status) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "INSTANCE\tSTATE\tSINCE\tPRIORITY\tMASTER\tPROOF\tADDRESSES")
	for _, p := range all {
		for _, i := range p.Instances {
			_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", i.Name, stateOf(i), sinceOf(i), priorityOf(i), masterOf(i), "unauthenticated", addressesOf(i))
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, p := range all {
		for _, i := range p.Instances {
			for _, line := range wrongWith(i) {
				if _, err := fmt.Fprintf(out, "%s: %s\n", i.Name, paint(out, yellow, explain.Printable(line))); err != nil {
					return err
				}
			}
		}
	}
	_, err := fmt.Fprintln(out, "unauthenticated: VRRP can't prove who speaks; whoever reaches the segment can say to be the master")
	return err
}

func stateOf(i keepalived.Instance) string {
	if i.Step != "" {
		return i.State + ", " + i.Step
	}
	return i.State
}

func sinceOf(i keepalived.Instance) string {
	if i.Since.IsZero() {
		return "-"
	}
	return i.Since.Local().Format(time.DateTime)
}

func priorityOf(i keepalived.Instance) string {
	if i.Priority != i.Configured {
		return fmt.Sprintf("%d of %d", i.Priority, i.Configured)
	}
	return fmt.Sprint(i.Priority)
}

func masterOf(i keepalived.Instance) string {
	switch {
	case i.Master == "":
		return "-"
	case i.Here:
		return i.Master + ", this host"
	}
	return i.Master
}

// addressesOf says of each address whether it is here.
func addressesOf(i keepalived.Instance) string {
	if len(i.Addresses) == 0 {
		return "-"
	}
	var list []string
	for _, a := range i.Addresses {
		where := "not here"
		if a.Here {
			where = "here on " + a.Dev
		}
		list = append(list, fmt.Sprintf("%s %s", a.Addr, where))
	}
	return strings.Join(list, ", ")
}

// wrongWith is what keeps a router from being the master, and what a person should know of others.
func wrongWith(i keepalived.Instance) (lines []string) {
	if i.Sourceless {
		lines = append(lines, fmt.Sprintf("no address of its own on %s to speak from", i.Interface))
	}
	for _, c := range i.Checks {
		what := "failed"
		if c.Pending {
			what = "has no result yet"
		}
		line := fmt.Sprintf("check %s %s", c.Name, what)
		switch {
		case c.Weight != 0:
			line += fmt.Sprintf(" (weight %+d)", c.Weight)
		case !c.Fault && !c.Pending:
			line += " (its weight doesn't count here)"
		}
		lines = append(lines, line)
	}
	if i.Held {
		lines = append(lines, "would be the master, and holds back beside a router that it can't understand; mend that one or this")
	}
	for _, t := range i.Troubles {
		lines = append(lines, t.Text)
	}
	return lines
}
