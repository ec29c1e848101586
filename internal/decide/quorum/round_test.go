package quorum

import (
	"testing"

	"redkeep/internal/words"
)

func TestMajorityOfEachList(t *testing.T) {
	yes := func(nodes ...words.Node) func(words.Node) bool {
		return func(n words.Node) bool { return Has(nodes, n) }
	}
	both := Lists{Members: []words.Node{"a", "b", "c"}, Pending: []words.Node{"c", "d", "e"}}
	for _, c := range []struct {
		name  string
		lists Lists
		yes   []words.Node
		want  bool
	}{
		{"none of none", Lists{}, nil, false},
		{"one of one", Lists{Members: []words.Node{"a"}}, []words.Node{"a"}, true},
		{"one of two is no majority", Lists{Members: []words.Node{"a", "b"}}, []words.Node{"a"}, false},
		{"two of three", three, []words.Node{"a", "c"}, true},
		{"two of five", five, []words.Node{"a", "c"}, false},
		{"strangers do not count", three, []words.Node{"a", "x", "y"}, false},
		{"the old list alone", both, []words.Node{"a", "b"}, false},
		{"the new list alone", both, []words.Node{"d", "e"}, false},
		{"both", both, []words.Node{"a", "c", "d"}, true},
	} {
		if got := c.lists.Majority(yes(c.yes...)); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
	if all := both.All(); len(all) != 5 {
		t.Errorf("both lists have %v", all)
	}
}

func TestRoundCountsEachPhaseByItself(t *testing.T) {
	r := NewRound(7)
	r.Yes("a")
	r.Yes("b")
	if !r.Won(three) || !r.Answered("b") || r.Answered("c") {
		t.Fatal("two of three did not win the pre-vote")
	}
	r.Begin(4)
	if r.Won(three) || r.Answered("a") {
		t.Error("the pre-vote's answers count for the vote")
	}
}

// TestYesBinds: a late no of the same voter takes nothing back, and a yes after a no counts.
func TestYesBinds(t *testing.T) {
	r := NewRound(1)
	r.Yes("a")
	r.No("a", words.Reason{Code: words.GrantHeld})
	r.No("b", words.Reason{Code: words.GrantHeld})
	if _, failed := r.Failed(three, nobody); failed {
		t.Error("failed with one refusal of three")
	}
	r.Yes("b")
	if !r.Won(three) {
		t.Error("a yes after a no does not count")
	}
}

func TestRoundFailsWithAReason(t *testing.T) {
	r := NewRound(1)
	r.No("b", words.Reason{Code: words.GrantHeld, Node: "x"})
	r.No("c", words.Reason{Code: words.WorseThanOwn})
	if why, failed := r.Failed(three, nobody); !failed || why.Code != words.GrantHeld {
		t.Errorf("failed %v: %v", failed, why)
	}
}

func nobody(words.Node) bool { return false }

// TestTheAbsentAreNotWaitedFor once somebody has refused; while nobody has, an answer may only be late.
func TestTheAbsentAreNotWaitedFor(t *testing.T) {
	absent := func(n words.Node) bool { return n == "c" }
	r := NewRound(1)
	r.Yes("a")
	if _, failed := r.Failed(three, absent); failed {
		t.Error("failed before anybody refused")
	}
	r.No("b", words.Reason{Code: words.WorseThanOwn})
	if why, failed := r.Failed(three, absent); !failed || why.Code != words.WorseThanOwn {
		t.Errorf("failed %v: %v", failed, why)
	}
	r.Yes("c")
	if _, failed := r.Failed(three, absent); failed {
		t.Error("the yes of one that was taken for absent does not count")
	}
}
