package judge

import (
	"testing"
	"time"

	"redkeep/internal/words"
)

const group = words.Group("orders")

// opened returns a court before which a was opened in epoch 1.
func opened() *Court {
	c := Convene(10)
	c.Opened(Open{At: 1, Group: group, Node: "a", Epoch: 1})
	return c
}

func wants(t *testing.T, c *Court, laws ...Law) {
	t.Helper()
	var got []Law
	for _, f := range c.Findings() {
		got = append(got, f.Law)
	}
	if len(got) != len(laws) {
		t.Fatalf("found %v, want %v", c.Findings(), laws)
	}
	for i := range laws {
		if got[i] != laws[i] {
			t.Fatalf("found %v, want %v", c.Findings(), laws)
		}
	}
}

func TestTwoWritableAreFoundOnce(t *testing.T) {
	c := opened()
	c.Writable(2, group, []words.Node{"a"})
	c.Writable(3, group, []words.Node{"a", "b"})
	c.Writable(4, group, []words.Node{"a", "b"})
	wants(t, c, NeverTwo)
}

func TestAGroupThatWasNeverLeasedPromisesNothing(t *testing.T) {
	c := Convene(10)
	c.Writable(1, group, []words.Node{"a", "b"})
	c.Acked(Ack{At: 1, Group: group, Node: "a", Write: 1})
	wants(t, c)
}

func TestAnOlderEpochMustNotAcknowledgeAfterALater(t *testing.T) {
	c := opened()
	c.Acked(Ack{At: 2, Group: group, Node: "a", Write: 1})
	c.Opened(Open{At: 3, Group: group, Node: "b", Epoch: 2})
	c.Acked(Ack{At: 4, Group: group, Node: "a", Write: 2}) // nothing was acknowledged in 2 before
	c.Acked(Ack{At: 5, Group: group, Node: "b", Write: 3})
	wants(t, c)
	c.Acked(Ack{At: 6, Group: group, Node: "a", Write: 4})
	wants(t, c, StaleAck)
}

func TestAnEpochHasOneHolder(t *testing.T) {
	c := opened()
	c.Opened(Open{At: 2, Group: group, Node: "a", Epoch: 1})
	wants(t, c)
	c.Opened(Open{At: 3, Group: group, Node: "b", Epoch: 1})
	wants(t, c, OneHolder)
}

func TestCopiesOnEnoughNodesSurvive(t *testing.T) {
	c := opened()
	for w := range uint64(4) {
		c.Acked(Ack{At: 2, Group: group, Node: "a", Write: w})
	}
	open := Open{At: 3, Group: group, Node: "b", Epoch: 2}
	c.Failover(open, []uint64{0, 1}, []Copy{{"a", []uint64{0, 1, 2}}, {"c", []uint64{0, 1}}}, 2)
	wants(t, c)
	c.Failover(open, []uint64{0, 1}, []Copy{{"a", []uint64{0, 1, 2}}, {"c", []uint64{0, 1, 2, 3}}}, 2)
	wants(t, c, CopiesSurvive)
}

func TestOldWritesAreLostAloudOnly(t *testing.T) {
	c := opened()
	c.Acked(Ack{At: time.Second, Group: group, Node: "a", Write: 1})
	c.Acked(Ack{At: 9 * time.Second, Group: group, Node: "a", Write: 2})
	c.Stale(Open{At: 10 * time.Second, Group: group, Node: "b", Epoch: 2}, []uint64{1}, time.Second)
	wants(t, c)
	c.Stale(Open{At: 10 * time.Second, Group: group, Node: "b", Epoch: 3}, nil, time.Second)
	wants(t, c, SaidLoss)
}

func TestASwitchoverLosesNothing(t *testing.T) {
	c := opened()
	c.Acked(Ack{At: 2, Group: group, Node: "a", Write: 1})
	c.Acked(Ack{At: 3, Group: group, Node: "a", Write: 2})
	c.Switched(Open{At: 4, Group: group, Node: "b", Epoch: 2}, "a", []uint64{1, 2})
	wants(t, c)
	c.Switched(Open{At: 4, Group: group, Node: "b", Epoch: 2}, "a", []uint64{1})
	wants(t, c, SwitchLoses)
}

func TestAnEmptyOrForeignServerWipesNobody(t *testing.T) {
	c := opened()
	c.Wiped(2, group, "b", "a", []uint64{1, 2}, []uint64{2, 3})
	c.Wiped(2, group, "b", "a", nil, nil)
	wants(t, c)
	c.Wiped(3, group, "b", "a", []uint64{1, 2}, nil)
	c.Wiped(4, group, "b", "a", []uint64{1, 2}, []uint64{7})
	wants(t, c, NoWipe, NoWipe)
}
