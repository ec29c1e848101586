package rank

import (
	"cmp"

	"redkeep/internal/decide"
	"redkeep/internal/words"
)

// Standing is what a server's data are worth in its group.
type Standing struct {
	// Epoch is that of the newest row that the data contain.
	Epoch  words.Epoch
	Offset words.Offset
	// Cold says that the server restarted and its agent's record stands in for its history.
	Cold bool
	// Held says that the cold server was the holder of Epoch itself.
	Held bool
}

// Contains reports whether a history contains the beginning of a row: the data that its epoch began with.
func Contains(p words.Position, r words.Row) bool {
	if r.ReplID == "" {
		return false
	}
	return p.ReplID == r.ReplID && p.Offset >= r.From || p.ReplID2 == r.ReplID && p.Second > r.From
}

// before reports whether a history that contains no row is one that the rows know all the same: it ends before the first of them.
func before(p words.Position, rows []words.Row) bool {
	for _, r := range rows {
		for _, id := range []words.ReplID{r.ReplID, r.Continues} {
			if id != "" && (p.ReplID == id || p.ReplID2 == id) {
				return true
			}
		}
	}
	return false
}

// Of returns a server's standing by the rows known, and false where it has none: a stranger, or one with no data to speak of.
func Of(c decide.Claim, node words.Node, rows []words.Row, off decide.Rules) (Standing, bool) {
	s := c.Server
	if off.Off(decide.LineageRow) {
		return Standing{Offset: s.Offset}, true
	}
	for i := len(rows) - 1; i >= 0; i-- {
		if Contains(s.Position, rows[i]) {
			return Standing{Epoch: rows[i].Epoch, Offset: s.Offset}, true
		}
	}
	r := c.Recorded
	if r.Epoch == 0 || off.Off(decide.ColdRank) {
		return Standing{}, false
	}
	if s.RunID == r.RunID && s.Role == words.RoleMaster && r.Role != words.RoleMaster {
		// The same process, with a history that nobody opened: somebody promoted it by hand.
		return Standing{}, false
	}
	if before(s.Position, rows) {
		// It came back with a snapshot, which says itself how old it is. What its agent recorded later is lost with the process.
		return Standing{Offset: s.Offset}, true
	}
	st := Standing{Epoch: r.Epoch, Offset: r.Position.Offset, Cold: true}
	for _, row := range rows {
		if row.Epoch == r.Epoch {
			st.Held = row.Holder == node && r.Role == words.RoleMaster
		}
	}
	return st, true
}

// Short reports whether a server came back with less of the group's history than its agent had recorded of the process before
// it: with an old snapshot. That it had been in sync says nothing any more.
func Short(c decide.Claim, st Standing) bool {
	r := c.Recorded
	if st.Cold || r.Epoch == 0 || r.RunID == "" || r.RunID == c.Server.RunID {
		return false
	}
	return Compare(st, Standing{Epoch: r.Epoch, Offset: r.Position.Offset}) < 0
}

// Compare orders standings: positive where a is better. Of two in one epoch the farther wins, but a cold server that held
// the epoch itself beats every other cold one: its record is the oldest of what it had.
func Compare(a, b Standing) int {
	if c := cmp.Compare(a.Epoch, b.Epoch); c != 0 {
		return c
	}
	if a.Cold && b.Cold && a.Held != b.Held {
		if a.Held {
			return 1
		}
		return -1
	}
	if c := cmp.Compare(a.Offset, b.Offset); c != 0 {
		return c
	}
	switch {
	case a.Cold == b.Cold:
		return 0
	case b.Cold:
		return 1
	default:
		return -1
	}
}

// Beyond returns how many bytes a server holds that the history of the row does not: what is lost when it follows the
// row's holder. It counts from where the first epoch began that the server's data are not part of. Negative is another
// history, of a length that can't be told.
func Beyond(p words.Position, r words.Row, rows []words.Row) int64 {
	if p.ReplID == r.ReplID {
		return 0
	}
	for i := len(rows) - 1; i >= 0; i-- {
		if !Contains(p, rows[i]) {
			continue
		}
		for _, next := range rows[i+1:] {
			if next.ReplID == p.ReplID {
				continue
			}
			if next.Continues != p.ReplID {
				return -1
			}
			return max(0, int64(p.Offset-next.From))
		}
		return 0
	}
	return -1
}
