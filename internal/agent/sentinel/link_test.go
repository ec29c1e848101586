package sentinel

import (
	"testing"

	core "redkeep/internal/decide/sentinel"
)

// TestQuestionsAreForgotten when they are answered, also where another is always open: a link lives for years.
func TestQuestionsAreForgotten(t *testing.T) {
	w := &wire{}
	next := core.InstanceID(1)
	for i := range core.InstanceID(100_000) {
		w.expect(question{kind: askedInfo, instance: i + 1, count: 1})
		for len(w.asked)-w.head > 3 {
			if got := w.asked[w.head].instance; got != next {
				t.Fatalf("the answer after that to %d is taken for that to %d", next-1, got)
			}
			next++
			w.head++
		}
	}
	if cap(w.asked) > 1000 {
		t.Errorf("there is room for %d questions, of which %d are open", cap(w.asked), len(w.asked)-w.head)
	}
}
