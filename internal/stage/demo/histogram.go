package demo

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"redkeep/internal/stage/writer"
)

const (
	// shortest is where a histogram begins, and columns how many steps of a factor of the square root of two it has: to
	// 130 ms. What is shorter or longer is in the first or the last.
	shortest = 32 * time.Microsecond
	columns  = 24
)

// The levels of a column, from none to the most.
var (
	blocks  = []rune(" ▁▂▃▄▅▆▇█")
	letters = []rune(" .:-=+*#@")
)

// histogram is a line that shows how long acknowledged writes took, on a logarithmic scale: how many of each length
// beside the most frequent one. A single write shows.
func histogram(writes []writer.Write, unicode bool) string {
	var took []time.Duration
	for _, w := range writes {
		if w.OK() {
			took = append(took, w.Acked.Sub(w.Sent))
		}
	}
	if len(took) == 0 {
		return "no write was acknowledged"
	}
	slices.Sort(took)
	levels, left, right := letters, "|", "|"
	if unicode {
		levels, left, right = blocks, "▕", "▏"
	}
	return fmt.Sprintf("%s %s%s%s %s   half within %s, 99 %% within %s, the longest %s", length(shortest), left, bars(took, levels), right,
		length(edge(columns)), length(quantile(took, 0.5)), length(quantile(took, 0.99)), length(took[len(took)-1]))
}

func bars(took []time.Duration, levels []rune) string {
	var counts [columns]int
	for _, d := range took {
		counts[column(d)]++
	}
	most := slices.Max(counts[:])
	var line strings.Builder
	for _, n := range counts {
		// Rounded up, so that nothing which happened has the height of nothing.
		line.WriteRune(levels[(n*(len(levels)-1)+most-1)/most])
	}
	return line.String()
}

// column is the place of a length.
func column(d time.Duration) int {
	return min(max(int(2*math.Log2(float64(d)/float64(shortest))), 0), columns-1)
}

// edge is where a column begins.
func edge(column int) time.Duration {
	return time.Duration(float64(shortest) * math.Pow(2, float64(column)/2))
}

// quantile is the length within which a share (0 to 1) of the sorted lengths is.
func quantile(sorted []time.Duration, share float64) time.Duration {
	return sorted[min(int(share*float64(len(sorted))), len(sorted)-1)]
}
