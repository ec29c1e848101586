package replies

import (
	"maps"
	"regexp"
	"slices"
	"testing"

	"redkeep/internal/speak/resp"
)

// TestDocsAreThoseOfSentinel compares COMMAND DOCS field by field, in both protocols: whatever is not a sentence.
func TestDocsAreThoseOfSentinel(t *testing.T) {
	t.Parallel()
	real, ours := start(t, "redis-sentinel"), start(t, binary, "sentinel")
	for _, protocol := range []string{"2", "3"} {
		real.ask(t, "HELLO "+protocol)
		ours.ask(t, "HELLO "+protocol)
		want, got := real.docs(t), ours.docs(t)
		for _, name := range slices.Sorted(maps.Keys(want)) {
			if got[name] != want[name] {
				t.Errorf("RESP%s, %s:\n%s\nredis-sentinel:\n%s", protocol, name, got[name], want[name])
			}
		}
		if len(got) != len(want) || len(want) != 72 {
			t.Errorf("RESP%s: %d commands, redis-sentinel has %d", protocol, len(got), len(want))
		}
	}
}

// docs is what COMMAND DOCS tells, by the names of commands and subcommands.
func (s *sentinel) docs(t *testing.T) map[string]string {
	t.Helper()
	v, err := s.value("COMMAND DOCS")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	undress(all, v)
	return all
}

// notation is that of a complexity, without what is said of its letters.
var notation = regexp.MustCompile(`^O\(.*?\)`)

// undress takes the sentences out, and subcommands, whose order is a hash table's, out of their containers.
func undress(all map[string]string, docs resp.Value) {
	for i := 0; i+1 < len(docs.Elems); i += 2 {
		doc := docs.Elems[i+1]
		for j := 0; j+1 < len(doc.Elems); j += 2 {
			switch of := &doc.Elems[j+1]; doc.Elems[j].Text {
			case "summary":
				said(of, "")
			case "complexity":
				said(of, notation.FindString(of.Text))
			case "history":
				for k := range of.Elems {
					said(&of.Elems[k].Elems[1], "")
				}
			case "subcommands":
				undress(all, *of)
				of.Elems = []resp.Value{}
			}
		}
		all[docs.Elems[i].Text] = exactly(doc)
	}
}

// said replaces a sentence; one that is not there is left so.
func said(v *resp.Value, by string) {
	if v.Text != "" {
		v.Text = by + "..."
	}
}

// exactly prints a value with all that it has.
func exactly(v resp.Value) string {
	text := string(rune(v.Kind)) + v.Text
	for _, e := range v.Elems {
		text += " (" + exactly(e) + ")"
	}
	return text
}
