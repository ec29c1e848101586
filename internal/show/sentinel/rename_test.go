package sentinel

import (
	"strings"
	"testing"
)

// TestRenamedCommands are known by what clients call them, where somebody asks by name; rules and what is told have their own names.
func TestRenamedCommands(t *testing.T) {
	s := stage(t, orders(), 0, nil)
	s.within(func() { s.face.dialect = s.face.dialect.renamed(map[string]string{"client": "klient", "role": ""}) })
	c := call(t, s.addr)
	for _, q := range []struct{ ask, want string }{
		{"CLIENT GETNAME", "-ERR unknown command 'CLIENT', with args beginning with: 'GETNAME' \n"},
		{"ROLE", "-ERR unknown command 'ROLE', with args beginning with: \n"},
		{"KLIENT GETNAME", "$-1\n"},
		{"KLIENT GETNAME x", "-ERR wrong number of arguments for 'client|getname' command\n"},
		{"KLIENT NOSUCH", "-ERR unknown subcommand 'NOSUCH'. Try KLIENT HELP.\n"},
		{"KLIENT UNBLOCK 1 2 3", "-ERR unknown subcommand or wrong number of arguments for 'UNBLOCK'. Try KLIENT HELP.\n"},
		{"COMMAND INFO client role", "*2\n$-1\n$-1\n"},
		{"COMMAND DOCS client", "*0\n"},
		{"COMMAND GETKEYS KLIENT ID", "-ERR The command has no key arguments\n"},
		{"COMMAND GETKEYS CLIENT ID", "-ERR Invalid command specified\n"},
		{"ACL DRYRUN default KLIENT ID", "+OK\n"},
		{"ACL DRYRUN default CLIENT ID", "-ERR Command 'CLIENT' not found\n"},
		{"ACL DRYRUN default KLIENT NOSUCH", "-ERR Command 'KLIENT' not found\n"},
		{"ACL DRYRUN default KLIENT", "-ERR wrong number of arguments for 'client' command\n"},
		{"ACL DRYRUN nobody CLIENT ID", "-ERR User 'nobody' not found\n"},
	} {
		if got := c.ask(q.ask); got != q.want {
			t.Errorf("%s: %q, want %q", q.ask, got, q.want)
		}
	}
	for ask, has := range map[string]string{
		"COMMAND INFO klient|id": "$9\nclient|id\n", "COMMAND DOCS klient": "$6\nclient\n", "KLIENT HELP": "+KLIENT <subcommand>",
	} {
		if got := c.ask(ask); !strings.Contains(got, has) {
			t.Errorf("%s: %q", ask, got)
		}
	}
}
