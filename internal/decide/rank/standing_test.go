package rank

import (
	"testing"

	"redkeep/internal/decide"
	"redkeep/internal/words"
)

// rows is a lineage of three epochs: x from the beginning, y from x's 1000, z from y's 1800.
var rows = []words.Row{
	{Epoch: 1, Holder: "a", ReplID: "x", From: 0},
	{Epoch: 2, Holder: "b", ReplID: "y", From: 1000, Continues: "x"},
	{Epoch: 5, Holder: "c", ReplID: "z", From: 1800, Continues: "y"},
}

func at(id words.ReplID, offset words.Offset) words.Position {
	return words.Position{ReplID: id, Offset: offset, Second: -1}
}

func continued(id words.ReplID, offset words.Offset, old words.ReplID, second words.Offset) words.Position {
	return words.Position{ReplID: id, Offset: offset, ReplID2: old, Second: second}
}

func TestContains(t *testing.T) {
	for _, c := range []struct {
		name string
		p    words.Position
		row  words.Row
		want bool
	}{
		{"in the row's history", at("y", 1500), rows[1], true},
		{"at its first byte", at("y", 1000), rows[1], true},
		{"in it, but before the row", at("y", 999), rows[1], false},
		{"in another", at("x", 1500), rows[1], false},
		{"in one that continues it", continued("z", 2000, "y", 1801), rows[1], true},
		{"in one that left it before", continued("w", 2000, "y", 900), rows[1], false},
		{"nothing is in a row without a history", at("", 0), words.Row{Epoch: 1}, false},
	} {
		if got := Contains(c.p, c.row); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

// TestMoreBytesOfALostBranchAreWorse: the old master wrote on to x:2500 while y was opened at 1000 (lineage-row).
func TestMoreBytesOfALostBranchAreWorse(t *testing.T) {
	old := standing(t, decide.Claim{Server: words.Server{Position: at("x", 2500)}}, "a")
	fresh := standing(t, decide.Claim{Server: words.Server{Position: continued("y", 1200, "x", 1001)}}, "b")
	if old.Epoch != 1 || fresh.Epoch != 2 || Compare(fresh, old) <= 0 {
		t.Errorf("the lost branch %+v against %+v", old, fresh)
	}
	o, f := decide.Claim{Server: words.Server{Position: at("x", 2500)}}, decide.Claim{Server: words.Server{Position: at("y", 1200)}}
	so, _ := Of(o, "a", rows, decide.Rules{decide.LineageRow: true})
	sf, _ := Of(f, "b", rows, decide.Rules{decide.LineageRow: true})
	if Compare(sf, so) >= 0 {
		t.Error("without the rule the lost branch should win: the rule decides nothing here")
	}
}

func standing(t *testing.T, c decide.Claim, n words.Node) Standing {
	t.Helper()
	st, ok := Of(c, n, rows, decide.Rules{})
	if !ok {
		t.Fatalf("%s has no standing", n)
	}
	return st
}

// TestRestartedServerStandsByItsRecord: it has a new history at 0 and all its data (cold-rank).
func TestRestartedServerStandsByItsRecord(t *testing.T) {
	cold := decide.Claim{
		Server:   words.Server{RunID: "new", Role: words.RoleMaster, Position: at("n", 0)},
		Recorded: words.Record{Epoch: 5, Role: words.RoleMaster, RunID: "old", Position: at("z", 2300)},
	}
	if st := standing(t, cold, "c"); st != (Standing{Epoch: 5, Offset: 2300, Cold: true, Held: true}) {
		t.Errorf("the last holder's: %+v", st)
	}
	if st := standing(t, cold, "a"); st.Held {
		t.Errorf("another's: %+v", st)
	}
	if _, ok := Of(cold, "c", rows, decide.Rules{decide.ColdRank: true}); ok {
		t.Error("without the rule the record counts still")
	}
}

// TestOldSnapshotStandsForItself: a server that came back with data from before the lineage's first row says so itself, and its
// agent's record of what the process before it had must not speak for it.
func TestOldSnapshotStandsForItself(t *testing.T) {
	for name, p := range map[string]words.Position{
		"of the oldest row's history":  at("x", 10),
		"of the one that it continues": {ReplID: "n", ReplID2: "x", Offset: 10, Second: 11},
		"of the newest row's":          at("z", 10),
	} {
		c := decide.Claim{
			Server:   words.Server{RunID: "new", Role: words.RoleReplica, Position: p},
			Recorded: words.Record{Epoch: 5, Role: words.RoleMaster, RunID: "old", Position: at("z", 2300)},
		}
		if st, ok := Of(c, "c", rows[1:], decide.Rules{}); !ok || st != (Standing{Offset: 10}) {
			t.Errorf("%s: %+v", name, st)
		}
	}
}

func TestShort(t *testing.T) {
	c := decide.Claim{
		Server:   words.Server{RunID: "new", Position: at("z", 2000)},
		Recorded: words.Record{Epoch: 5, RunID: "old", Position: at("z", 2300)},
	}
	if st := standing(t, c, "a"); !Short(c, st) {
		t.Errorf("%+v is not short of %+v", st, c.Recorded)
	}
	same, whole, unknown := c, c, c
	same.Recorded.RunID, whole.Server.Offset, unknown.Recorded = "new", 2300, words.Record{}
	for name, c := range map[string]decide.Claim{"the same process": same, "one that kept all": whole, "one never recorded": unknown} {
		if Short(c, standing(t, c, "a")) {
			t.Errorf("%s is short", name)
		}
	}
}

func TestNoStanding(t *testing.T) {
	for name, c := range map[string]decide.Claim{
		"a stranger":                 {Server: words.Server{Position: at("q", 9000)}},
		"an empty one, never known":  {},
		"one promoted by a stranger": {Server: words.Server{RunID: "r", Role: words.RoleMaster, Position: at("q", 9000)}, Recorded: words.Record{Epoch: 5, Role: words.RoleReplica, RunID: "r", Position: at("z", 1900)}},
	} {
		if st, ok := Of(c, "a", rows, decide.Rules{}); ok {
			t.Errorf("%s stands as %+v", name, st)
		}
	}
}

func TestCompare(t *testing.T) {
	best := []Standing{
		{Epoch: 5, Offset: 10},
		{Epoch: 2, Offset: 2000},
		{Epoch: 2, Offset: 1900},
		{Epoch: 2, Offset: 1800, Cold: true, Held: true},
		{Epoch: 2, Offset: 1850, Cold: true},
		{Epoch: 2, Offset: 1840, Cold: true},
		{Epoch: 1, Offset: 9999},
	}
	for i, a := range best {
		for j, b := range best {
			// A cold holder and a cold replica differ by who held, not by offset; against warm ones both go by offset.
			if got := Compare(a, b); (got > 0) != (i < j) || (got < 0) != (i > j) {
				t.Errorf("%+v against %+v: %d", a, b, got)
			}
		}
	}
	warm, cold := Standing{Epoch: 2, Offset: 5}, Standing{Epoch: 2, Offset: 5, Cold: true}
	if Compare(warm, cold) <= 0 || Compare(cold, warm) >= 0 {
		t.Error("of equals, one that did not restart is the better")
	}
}

func TestBeyond(t *testing.T) {
	for _, c := range []struct {
		name string
		p    words.Position
		want int64
	}{
		{"in the row's own history", at("z", 5000), 0},
		{"beyond where the row began", at("y", 2100), 300},
		{"up to where it began", at("y", 1800), 0},
		{"behind it", at("y", 1500), 0},
		{"of a history two epochs ago, from where that ended", at("x", 2500), 1500},
		{"of a history that nobody knows", at("q", 1), -1},
	} {
		if got := Beyond(c.p, rows[2], rows); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}
