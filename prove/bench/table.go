package bench

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// Print writes the report for people.
func (r Report) Print(w io.Writer) error {
	out := &strings.Builder{}
	r.printRows(out)
	if r.Toll != nil {
		fmt.Fprintf(out, "\n%s\n", r.Toll)
	}
	if r.Idle != nil {
		fmt.Fprintf(out, "\n%s\n", r.Idle)
	}
	fmt.Fprintln(out)
	for _, c := range r.Contenders {
		fmt.Fprintf(out, "%s: %s\n", c.Name, c.About)
		if len(c.Missing) > 0 {
			fmt.Fprintf(out, "  not installed; to measure it: apt-get install %s\n", strings.Join(c.Missing, " "))
		}
	}
	fmt.Fprintf(out, "\n%s\nmeasured with: %s\n", r.Machine, r.Command)
	_, err := io.WriteString(w, out.String())
	return err
}

// nameColumns has room for the longest fault and contender.
const nameColumns = "%-12s  %-18s"

func (r Report) printRows(out *strings.Builder) {
	if len(r.Rows) == 0 {
		return
	}
	lines := &strings.Builder{}
	fmt.Fprintf(lines, nameColumns+"\tgap median\tmin\tmax\tx redkeep\tat heal\tlost\tlost locally\ttwo masters\ttwo answer\truns\tleft out\terrors\t\n", "fault", "contender")
	for _, row := range r.Rows {
		fmt.Fprintf(lines, nameColumns+"\t%s\t\n", row.Fault, row.Contender, row.cells())
	}
	// Numbers are aligned to the right, and names, padded to one width, to the left. Memory can always be written.
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = io.WriteString(table, lines.String())
	_ = table.Flush()
	out.WriteString(legend)
	for _, one := range r.Results {
		if one.Error != "" {
			fmt.Fprintf(out, "error: %s, %s, %s\n", one.Fault, one.Contender, one)
		}
	}
}

// legend says what the columns are.
const legend = `
gap: longest stretch without an acknowledgement, writer at 1 ms; at heal: the median of it after the fault was mended.
lost: acknowledged writes that the last master does not have, of all runs together; locally: those of clients on the hosts
themselves, at 5 ms. two masters: longest time in which two hosts acknowledged writes. two answer: longest time in which two
hosts answered a third one that asked for the address (ARP); the agent's faults last 3 s. left out: runs in which this machine
itself stalled for too long. errors: runs that came to no end, such as a contender that was not ready or refused.
`

func (r Row) cells() string {
	if r.Runs == 0 {
		return fmt.Sprintf("-\t-\t-\t-\t-\t-\t-\t-\t-\t0\t%d\t%d", r.LeftOut, r.Errors)
	}
	ratio := "-"
	if r.Ratio > 0 {
		ratio = fmt.Sprintf("%.1f", r.Ratio)
	}
	runs := fmt.Sprint(r.Runs)
	if r.Failed > 0 {
		runs += fmt.Sprintf(" (%d never back)", r.Failed)
	}
	if r.Unsettled > 0 {
		runs += fmt.Sprintf(" (%d without one master)", r.Unsettled)
	}
	heal := "-"
	if r.Mend > 0 {
		heal = millis(r.Mend)
	}
	answer := "-"
	if r.Asked {
		answer = millis(r.TwoAnswer)
	}
	return fmt.Sprintf("%s\t%s\t%s\t%s\t%s\t%d\t%d\t%s\t%s\t%s\t%d\t%d",
		millis(r.Median), millis(r.Least), millis(r.Most), ratio, heal, r.Lost, r.LostLocally, millis(r.Double), answer, runs, r.LeftOut, r.Errors)
}

func millis(d Duration) string {
	if d == 0 {
		return "0"
	}
	ms := float64(d) / float64(time.Millisecond)
	if ms < 100 {
		return fmt.Sprintf("%.1f ms", ms)
	}
	return fmt.Sprintf("%.0f ms", ms)
}
