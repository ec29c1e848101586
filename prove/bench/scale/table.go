package scale

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// String says it in a line.
func (t Trial) String() string {
	f := t.Failover
	return fmt.Sprintf("%s: %.1f %% of a core, %.1f MiB, %.0f and %.0f requests/s, with a share of a core %.0f and %.0f, %d of %d masters replaced, the slowest in %s (load %s)",
		t.Contender, t.CPU, t.RSS, t.Whole.Single.PerSecond, t.Whole.Piped.PerSecond, t.Shared.Single.PerSecond, t.Shared.Piped.PerSecond, f.Done, f.Groups, seconds(f.Slowest), t.Load)
}

// line is one of the table: what is measured, and what it must be in units of redis-sentinel's, or by itself.
type line struct {
	name string
	of   func(Trial) float64
	show func(float64) string
	bar  string
}

var lines = []line{
	{"processor, % of a core", func(t Trial) float64 { return t.CPU }, decimal, "<= 0.6"},
	{"resident memory, MiB", func(t Trial) float64 { return t.RSS }, decimal, "<= 1.5"},
	{"requests/s", func(t Trial) float64 { return t.Whole.Single.PerSecond }, whole0, ""},
	{"requests/s, pipelined by 16", func(t Trial) float64 { return t.Whole.Piped.PerSecond }, whole0, ""},
	{"processor, ns a request", func(t Trial) float64 { return float64(t.Whole.Single.Cost) }, whole0, ""},
	{"processor, ns, pipelined", func(t Trial) float64 { return float64(t.Whole.Piped.Cost) }, whole0, ""},
	{"requests/s, share of a core", func(t Trial) float64 { return t.Shared.Single.PerSecond }, whole0, ">= 1"},
	{"the same, pipelined by 16", func(t Trial) float64 { return t.Shared.Piped.PerSecond }, whole0, ">= 1.5"},
	{"masters replaced", func(t Trial) float64 { return float64(t.Failover.Done) }, whole0, "all"},
	{"replaced, the usual one, s", func(t Trial) float64 { return t.Failover.Median.Seconds() }, hundredths, ""},
	{"replaced, the slowest, s", func(t Trial) float64 { return t.Failover.Slowest.Seconds() }, hundredths, "<= 2 s"},
	{"all after the last +sdown, s", func(t Trial) float64 { return t.Failover.All.Seconds() }, hundredths, "<= 2 s"},
}

func decimal(v float64) string    { return fmt.Sprintf("%.1f", v) }
func hundredths(v float64) string { return fmt.Sprintf("%.2f", v) }
func whole0(v float64) string     { return fmt.Sprintf("%.0f", v) }

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }

// Print writes the table: medians, and the median of the pairs' ratios.
func Print(w io.Writer, trials []Trial) error {
	out := &strings.Builder{}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintf(table, "%-30s\t%s\t%s\tratio\tof the pairs\twanted\t\n", "", Ours, Real) // memory can always be written
	ours, real := of(trials, Ours), of(trials, Real)
	for _, l := range lines {
		cell := func(all []Trial) string {
			if len(all) == 0 {
				return "-"
			}
			return l.show(median(each(all, l.of)))
		}
		_, _ = fmt.Fprintf(table, "%-30s\t%s\t%s\t%s\t%s\t\n", l.name, cell(ours), cell(real), l.ratio(ours, real), l.bar)
	}
	_ = table.Flush()
	_, err := io.WriteString(w, out.String())
	return err
}

// ratio is the median of the pairs' ratios, and all of them.
func (l line) ratio(ours, real []Trial) string {
	var all []float64
	for i := range min(len(ours), len(real)) {
		if r := l.of(real[i]); r > 0 {
			all = append(all, l.of(ours[i])/r)
		}
	}
	if len(all) == 0 {
		return "-\t-"
	}
	slices.Sort(all)
	said := make([]string, len(all))
	for i, r := range all {
		said[i] = hundredths(r)
	}
	return hundredths(median(all)) + "\t" + strings.Join(said, " ")
}

// of are the trials of one contender, in their order.
func of(trials []Trial, contender string) (all []Trial) {
	for _, t := range trials {
		if t.Contender == contender {
			all = append(all, t)
		}
	}
	return all
}

func each(trials []Trial, of func(Trial) float64) (all []float64) {
	for _, t := range trials {
		all = append(all, of(t))
	}
	return all
}

// median is the middle one, or between the two.
func median[N cmp.Ordered](values []N) N {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
