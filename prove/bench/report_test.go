package bench

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"redkeep/internal/stage/contest"
)

func run1(gap time.Duration) Result {
	return Result{Result: contest.Result{Contender: "redkeep", Fault: "kill", Gap: Duration(gap), Recovered: true, Settled: true}}
}

func TestRowLeavesOutWhatDoesNotCount(t *testing.T) {
	spoiled := run1(time.Hour)
	spoiled.LeftOut = true
	refused := run1(0)
	refused.Error = "switchover: refused"
	never := run1(40 * time.Millisecond)
	never.Recovered, never.Lost, never.Double = false, 3, Duration(time.Millisecond)
	other := run1(time.Minute)
	other.Contender = "keepalived"
	got := row("redkeep", "kill", []Result{run1(10 * time.Millisecond), spoiled, refused, run1(20 * time.Millisecond), never, other})
	want := Row{
		Fault: "kill", Contender: "redkeep", Runs: 3, LeftOut: 1, Errors: 1, Failed: 1, Lost: 3, Double: Duration(time.Millisecond),
		Median: Duration(20 * time.Millisecond), Least: Duration(10 * time.Millisecond), Most: Duration(40 * time.Millisecond),
	}
	if got != want {
		t.Errorf("row is\n%+v; want\n%+v", got, want)
	}
	if got := row("redkeep", "cut", nil); got != (Row{Fault: "cut", Contender: "redkeep"}) {
		t.Errorf("without runs the row is %+v", got)
	}
}

func TestRowHasTheLongestTimeOfTwoAnswers(t *testing.T) {
	one, two := run1(time.Millisecond), run1(time.Millisecond)
	one.Asked, two.Asked, two.TwoAnswer = true, true, Duration(2*time.Second)
	for _, c := range []struct {
		results []Result
		want    string
	}{{[]Result{run1(time.Millisecond)}, "-"}, {[]Result{one}, "0"}, {[]Result{one, two, one}, "2000 ms"}} {
		cells := strings.Split(row("redkeep", "kill", c.results).cells(), "\t")
		if got := cells[8]; got != c.want {
			t.Errorf("two answer is %q in %q; want %q", got, cells, c.want)
		}
	}
}

func TestCompareTakesTheSameFault(t *testing.T) {
	rows := []Row{
		{Fault: "kill", Contender: "redkeep", Runs: 1, Median: 10},
		{Fault: "kill", Contender: "keepalived", Runs: 1, Median: 25},
		{Fault: "cut", Contender: "keepalived", Runs: 1, Median: 25},
	}
	compare(rows, "redkeep")
	if rows[0].Ratio != 1 || rows[1].Ratio != 2.5 || rows[2].Ratio != 0 {
		t.Errorf("ratios are %v, %v, %v; want 1, 2.5, 0", rows[0].Ratio, rows[1].Ratio, rows[2].Ratio)
	}
}

func TestQuantileInterpolates(t *testing.T) {
	for _, c := range []struct {
		values  []float64
		q, want float64
	}{{[]float64{3}, 0.5, 3}, {[]float64{4, 1, 2, 3}, 0.5, 2.5}, {[]float64{5, 1, 2, 4, 3}, 0.25, 2}, {[]float64{-2, -1}, 1, -1}} {
		if got := quantile(c.values, c.q); got != c.want {
			t.Errorf("quantile %v of %v is %v; want %v", c.q, c.values, got, c.want)
		}
	}
}

func TestDurationsAreMilliseconds(t *testing.T) {
	text, err := json.Marshal(run1(12345678 * time.Nanosecond))
	if err != nil || !strings.Contains(string(text), `"gap_ms":12.346,`) {
		t.Errorf("a result is %s, %v", text, err)
	}
}

func TestPrintSaysWhatIsMissing(t *testing.T) {
	r := Report{
		Rows:       []Row{row("redkeep", "kill", []Result{run1(12 * time.Millisecond)}), {Fault: "cut", Contender: "redkeep", LeftOut: 2}},
		Results:    []Result{{Result: contest.Result{Contender: "redkeep", Fault: "cut"}, Run: 2, Error: "not ready"}},
		Contenders: []About{{Name: "keepalived", About: "tuned", Missing: []string{"keepalived"}}},
		Command:    "make bench",
	}
	var out strings.Builder
	if err := r.Print(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"12.0 ms", "apt-get install keepalived", "measured with: make bench", "error: cut, redkeep, run 2: not ready"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the report has no %q:\n%s", want, out.String())
		}
	}
	table, _, _ := strings.Cut(out.String(), "\n\n")
	lines := strings.Split(table, "\n")
	for _, line := range lines {
		if len(line) != len(lines[0]) {
			t.Errorf("the columns of the table are not aligned:\n%s", table)
			break
		}
	}
}
