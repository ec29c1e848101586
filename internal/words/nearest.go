package words

// Nearest returns the word of the list that differs least from what was written, if it is near enough to be meant:
// one slip in three letters, three at most.
func Nearest(written string, words []string) (string, bool) {
	best, distance := "", 1+min(3, len(written)/3)
	for _, w := range words {
		if d := edits(written, w); d < distance {
			best, distance = w, d
		}
	}
	return best, best != ""
}

// edits counts the insertions, deletions, replacements and swaps of neighbours that turn a into b. Inputs longer than
// any word that a file may have differ by their length at least, so they are not looked into.
func edits(a, b string) int {
	const longest = 64
	if len(a) > longest || len(b) > longest {
		return max(len(a), len(b))
	}
	var before, last, row [longest + 1]int
	for j := range len(b) + 1 {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
