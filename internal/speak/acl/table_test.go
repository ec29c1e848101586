package acl

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// categories are those of Redis 7.0.
var categories = strings.Fields("keyspace read write set sortedset list hash string bitmap hyperloglog geo stream pubsub admin fast slow " +
	"blocking dangerous connection transaction scripting")

// sentinelCommands are those of redis-sentinel 7.0.15: a line has name, arity, categories and whether it is free.
func sentinelCommands(t testing.TB) (commands []Command) {
	t.Helper()
	b, err := os.ReadFile("testdata/commands.txt")
	if err != nil {
		t.Fatal(err)
	}
	channels := map[string]Channels{
		"publish": {First: 1, Last: 1}, "subscribe": {First: 1, Last: -1}, "psubscribe": {First: 1, Last: -1, Patterns: true},
	}
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		arity, err := strconv.Atoi(f[1])
		if err != nil {
			t.Fatal(err)
		}
		c := Command{Name: f[0], Arity: arity, Categories: strings.Split(f[2], ","), Free: len(f) > 3, Channels: channels[f[0]]}
		if _, sub, ok := strings.Cut(c.Name, "|"); ok {
			c.Name = sub
			last := &commands[len(commands)-1]
			last.Subs = append(last.Subs, c)
			continue
		}
		commands = append(commands, c)
	}
	return commands
}

func sentinelTable(t testing.TB) *Table {
	t.Helper()
	table, err := NewTable(categories, sentinelCommands(t))
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func TestTable(t *testing.T) {
	table := sentinelTable(t)
	id, ok := table.ID("Client|KILL")
	if !ok || table.entries[id].full != "client|kill" {
		t.Errorf("client|kill is %d, %v", id, ok)
	}
	if _, ok := table.ID("kill"); ok {
		t.Error("a subcommand is known without its container")
	}
	fast, _ := table.Category("FAST")
	if want := strings.Fields("auth hello ping publish role"); !slices.Equal(fast, want) {
		t.Errorf("fast: %q", fast)
	}
	if none, ok := table.Category("read"); len(none) > 0 || !ok {
		t.Errorf("read: %q, %v", none, ok)
	}
	if _, ok := table.Category("nosuch"); ok {
		t.Error("there is a category nosuch")
	}
}

func TestTableRefuses(t *testing.T) {
	for what, commands := range map[string][]Command{
		"a name that is there twice": {{Name: "a"}, {Name: "a"}},
		"an unknown category":        {{Name: "a", Categories: []string{"nosuch"}}},
		"a subcommand's category":    {{Name: "a", Subs: []Command{{Name: "b", Categories: []string{"nosuch"}}}}},
	} {
		if _, err := NewTable(categories, commands); err == nil {
			t.Errorf("%s is taken", what)
		}
	}
	if _, err := NewTable(make([]string, 65), nil); err == nil {
		t.Error("65 categories are taken")
	}
}
