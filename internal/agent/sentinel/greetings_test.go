package sentinel

import (
	"fmt"
	"strings"
	"testing"
)

// TestGreetingsAreReadOnce, and what strangers say takes no more than so much memory.
func TestGreetingsAreReadOnce(t *testing.T) {
	id := strings.Repeat("a", 40)
	said := func(epoch int, group string) string {
		return fmt.Sprintf("10.0.0.1,26379,%s,%d,%s,10.0.0.2,6379,1", id, epoch, group)
	}
	var g greetings
	first := g.of([]byte(said(1, "orders")))
	if first == nil || first.Group != "orders" || g.of([]byte(said(1, "orders"))) != first || g.read(said(1, "orders")) != first {
		t.Errorf("the same greeting is another: %v", first)
	}
	if other := g.of([]byte(said(2, "orders"))); other == nil || other == first || other.CurrentEpoch != 2 {
		t.Errorf("another greeting is %v", other)
	}
	if g.of([]byte("hello")) != nil || len(g) != 2 {
		t.Errorf("%d greetings after what is none", len(g))
	}
	if long := g.read(said(1, strings.Repeat("x", 1000))); long == nil || len(g) != 2 {
		t.Errorf("a long greeting is %v, and kept with %d others", long, len(g))
	}
	for i := range 3 * mostGreetings {
		if g.read(said(i, "orders")) == nil {
			t.Fatal("a greeting is not read")
		}
	}
	if len(g) > mostGreetings {
		t.Errorf("%d are kept", len(g))
	}
}
