package sentinel

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"redkeep/internal/speak/resp"
)

// TestArgumentsAreThoseOfSentinel holds what COMMAND DOCS tells of each command, but for the sentences, against a real redis-sentinel.
func TestArgumentsAreThoseOfSentinel(t *testing.T) {
	t.Parallel()
	real, _ := startSentinel(t)
	ours := stage(t, orders(), 0, nil)
	want, got := docsOf(t, real), docsOf(t, ours.addr)
	for name, doc := range want {
		if got[name] != doc {
			t.Errorf("%s:\n%s\nredis-sentinel:\n%s", name, got[name], doc)
		}
	}
	if len(got) != len(want) || len(want) < 70 {
		t.Errorf("%d commands, redis-sentinel has %d", len(got), len(want))
	}
}

// docsOf is what a server tells of its commands, by their names.
func docsOf(t *testing.T, addr string) map[string]string {
	t.Helper()
	c := call(t, addr)
	c.send("COMMAND DOCS")
	v, err := resp.NewReader(c.conn, resp.Limits{Elements: 1 << 16, Bytes: 1 << 20, Depth: 16}).Read()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	collect(all, v)
	return all
}

func collect(all map[string]string, v resp.Value) {
	for i := 0; i+1 < len(v.Elems); i += 2 {
		name, doc := v.Elems[i].Text, v.Elems[i+1]
		var told []string
		for j := 0; j+1 < len(doc.Elems); j += 2 {
			switch key, of := doc.Elems[j].Text, doc.Elems[j+1]; key {
			case "summary":
				told = append(told, key)
			case "complexity":
				told = append(told, key+" "+notation.FindString(of.Text))
			case "history":
				told = append(told, key+" "+releasesOf(of))
			case "subcommands":
				told = append(told, key)
				collect(all, of)
			default:
				told = append(told, key+" "+plainly(of))
			}
		}
		all[name] = strings.Join(told, "; ")
	}
}

// notation is that of a complexity, without what it says of its letters.
var notation = regexp.MustCompile(`^O\(.*?\)`)

// releasesOf are those of a history, and "" for one that has no words with it.
func releasesOf(history resp.Value) string {
	var all []string
	for _, e := range history.Elems {
		if len(e.Elems) != 2 || e.Elems[1].Text == "" {
			return ""
		}
		all = append(all, e.Elems[0].Text)
	}
	return strings.Join(all, " ")
}

func plainly(v resp.Value) string {
	if v.Elems == nil {
		return v.Text
	}
	var parts []string
	for _, e := range v.Elems {
		parts = append(parts, plainly(e))
	}
	return fmt.Sprint(parts)
}
