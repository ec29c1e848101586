package sentinel

import (
	"fmt"
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
			case "summary", "complexity", "history":
			case "subcommands":
				collect(all, of)
			default:
				told = append(told, key+" "+plainly(of))
			}
		}
		all[name] = strings.Join(told, "; ")
	}
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
