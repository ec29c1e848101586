package agent

import (
	"testing"

	"redkeep/internal/act/vip"
	"redkeep/internal/speak/explain"
	"redkeep/internal/words"
)

func TestWhatWasDoneToAnAddressIsASentence(t *testing.T) {
	const rest = "; have whoever did that leave the address alone"
	for want, e := range map[string]vip.Event{
		"deleted by ip (pid 4711)":                                     {Kind: vip.Deleted, By: "ip (pid 4711)"},
		"deleted by a program that the kernel does not name":           {Kind: vip.Deleted, By: "unknown"},
		"its interface was set down by ip (pid 4711)":                  {Kind: vip.LinkDown, By: "ip (pid 4711)"},
		"put there unasked by a program that the kernel does not name": {Kind: vip.Added},
	} {
		got := explain.Sentence(words.Reason{Code: words.VIPBroken, Node: "h1", Text: whatWasDone(e)})
		if want = "the group's address on h1 was changed: " + want + rest; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
