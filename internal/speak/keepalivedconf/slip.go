package keepalivedconf

// mostSlips is how many braces are tried.
const mostSlips = 32

// slips finds the closing braces that were left at the end of a line by mistake (interface wlan0}), which keepalived takes
// for the end of the block, so that the rest of it means something else. A brace is one of them if the file has fewer faults
// without it. It returns their indices.
func slips(tokens []token, outer *level) map[int]bool {
	without := make(map[int]bool)
	faults := faultsOf(tokens, without, outer)
	tried := 0
	for i, t := range tokens {
		if faults == 0 || tried == mostSlips {
			break
		}
		if t.kind != kindClose || t.first || i == 0 || tokens[i-1].kind != kindWord {
			continue
		}
		tried++
		without[i] = true
		if n := faultsOf(tokens, without, outer); n < faults {
			faults = n
		} else {
			delete(without, i)
		}
	}
	return without
}

// faultsOf counts what is wrong with the structure of a file.
func faultsOf(tokens []token, without map[int]bool, outer *level) int {
	b := newBuilder(&File{tokens: tokens}, without, outer, nil)
	b.run()
	return b.faults
}
