package bench

import (
	"slices"

	"redkeep/internal/stage/contest"
)

// Duration is a time that is written in milliseconds.
type Duration = contest.Duration

// Result is one run.
type Result struct {
	contest.Result
	Run int `json:"run"`
	// LeftOut says that the stall was too long for the run to count.
	LeftOut bool `json:"left_out"`
	// Error is why the run came to no end: a contender that was not ready or refused, or a failure of the bench.
	Error string `json:"error,omitempty"`
}

// Row is one line of the table: all runs of a contender with a fault.
type Row struct {
	Fault     string `json:"fault"`
	Contender string `json:"contender"`
	// Runs are those that count, LeftOut those spoiled by the machine, and Errors those that came to no end.
	Runs    int `json:"runs"`
	LeftOut int `json:"left_out"`
	Errors  int `json:"errors"`
	// Failed are the runs that count in which writes did not go on in time.
	Failed int `json:"failed"`
	// Unsettled are the runs that count at whose end there was not exactly one master.
	Unsettled int `json:"unsettled"`
	// Median, Least and Most are of the gap.
	Median Duration `json:"median_ms"`
	Least  Duration `json:"min_ms"`
	Most   Duration `json:"max_ms"`
	// Mend is the median of the gap after the fault was mended.
	Mend Duration `json:"mend_median_ms"`
	// Lost, LostLocally and Double are the sums and the longest of the runs that count.
	Lost        int      `json:"lost"`
	LostLocally int      `json:"lost_locally"`
	Double      Duration `json:"two_masters_max_ms"`
	// Asked says that somebody asked for the address, and TwoAnswer is the longest time in which two hosts answered.
	Asked     bool     `json:"asked,omitempty"`
	TwoAnswer Duration `json:"two_answer_max_ms"`
	// Ratio is the median in units of Redkeep's with the same fault; 0 where there is none.
	Ratio float64 `json:"ratio,omitempty"`
}

// Report is all that was measured.
type Report struct {
	Machine Machine `json:"machine"`
	// Command reproduces the report.
	Command string `json:"command"`
	// Contenders says how each was set up, and Missing what has to be installed for those that were not measured.
	Contenders []About  `json:"contenders"`
	Rows       []Row    `json:"rows"`
	Toll       *Toll    `json:"gate,omitempty"`
	Idle       *Idle    `json:"idle,omitempty"`
	Results    []Result `json:"results"`
}

// About is a contender as the report names it.
type About struct {
	Name  string `json:"name"`
	About string `json:"about"`
	// Missing are the packages without which it was not measured.
	Missing []string `json:"missing,omitempty"`
}

// row sums up the runs of one contender with one fault.
func row(contender, fault string, results []Result) Row {
	r := Row{Contender: contender, Fault: fault}
	var gaps, mends []Duration
	for _, one := range results {
		if one.Contender != contender || one.Fault != fault {
			continue
		}
		if one.Error != "" {
			r.Errors++
			continue
		}
		if one.LeftOut {
			r.LeftOut++
			continue
		}
		r.Runs++
		if !one.Recovered {
			r.Failed++
		}
		if !one.Settled {
			r.Unsettled++
		}
		gaps, mends = append(gaps, one.Gap), append(mends, one.MendGap)
		r.Lost += one.Lost
		r.LostLocally += one.LostLocally
		r.Double = max(r.Double, one.Double)
		r.Asked, r.TwoAnswer = r.Asked || one.Asked, max(r.TwoAnswer, one.TwoAnswer)
	}
	if len(gaps) > 0 {
		r.Median, r.Least, r.Most = quantile(gaps, 0.5), slices.Min(gaps), slices.Max(gaps)
		r.Mend = quantile(mends, 0.5)
	}
	return r
}

// number is what a quantile is taken of.
type number interface{ ~int64 | ~float64 }

// quantile interpolates between the two values next to the share q (0 to 1) of the sorted values; there must be one.
func quantile[N number](values []N, q float64) N {
	sorted := slices.Sorted(slices.Values(values))
	at := q * float64(len(sorted)-1)
	low := int(at)
	high := min(low+1, len(sorted)-1)
	return sorted[low] + N(float64(sorted[high]-sorted[low])*(at-float64(low)))
}

// compare sets the ratios of all rows to those of the reference.
func compare(rows []Row, reference string) {
	medians := map[string]Duration{}
	for _, r := range rows {
		if r.Contender == reference {
			medians[r.Fault] = r.Median
		}
	}
	for i, r := range rows {
		if m := medians[r.Fault]; m > 0 && r.Runs > 0 {
			rows[i].Ratio = float64(r.Median) / float64(m)
		}
	}
}
