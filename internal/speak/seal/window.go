package seal

// windowSize is how far behind the newest counter a datagram may arrive and still be taken, in datagrams.
const windowSize = 256

// window remembers which of the newest counters of one session have been seen, so that each is taken once. The zero
// window has seen nothing; counter 0 is never taken.
type window struct {
	newest uint64
	seen   [windowSize / 64]uint64
}

// accept takes a counter and reports whether it is new. One that lies windowSize or more behind the newest is refused,
// since nobody knows any longer whether it was seen.
func (w *window) accept(counter uint64) bool {
	switch {
	case counter == 0:
		return false
	case counter > w.newest:
		w.advance(counter)
	case w.newest-counter >= windowSize:
		return false
	}
	word, bit := counter/64%uint64(len(w.seen)), uint64(1)<<(counter%64)
	if w.seen[word]&bit != 0 {
		return false
	}
	w.seen[word] |= bit
	return true
}

// advance moves the newest counter forward and forgets the places that it passes, which belonged to counters one whole
// window older.
func (w *window) advance(counter uint64) {
	if counter-w.newest >= windowSize {
		w.seen = [windowSize / 64]uint64{}
	} else {
		for c := w.newest + 1; c <= counter; c++ {
			w.seen[c/64%uint64(len(w.seen))] &^= 1 << (c % 64)
		}
	}
	w.newest = counter
}
