package judge

import (
	"testing"

	"redkeep/internal/words"
)

func TestTwoThatAnswerAreFoundOnce(t *testing.T) {
	c := opened()
	c.Answering(2, group, []words.Node{"a"})
	c.Answering(3, group, []words.Node{"a", "b"})
	c.Answering(4, group, []words.Node{"a", "b"})
	c.Answering(5, group, nil)
	wants(t, c, OneAnswers)
}

func TestWhoDoesNotAnswerMustNotAnnounce(t *testing.T) {
	c := opened()
	c.Announced(2, group, "a", []words.Node{"a"})
	c.Announced(3, group, "a", nil)
	wants(t, c)
	c.Announced(4, group, "a", []words.Node{"b"})
	wants(t, c, NotStolen)
}
