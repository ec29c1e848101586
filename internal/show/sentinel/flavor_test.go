package sentinel

import (
	"strings"
	"testing"

	"redkeep/internal/picture"
)

// said has a client of a face send lines, and returns what it is answered.
func said(f *Face, lines ...string) string {
	mouth := &ear{}
	c := f.Open(mouth)
	defer c.Gone()
	for _, line := range lines {
		mouth.take()
		c.Receive([]byte(line + "\r\n"))
	}
	return strings.ReplaceAll(mouth.take(), "\r\n", "\n")
}

// TestFlavorsHaveTheirCommands: what tools compare, and what came when.
func TestFlavorsHaveTheirCommands(t *testing.T) {
	lease, _ := quiet(t)
	for _, one := range []struct {
		flavor  Flavor
		names   string
		asked   string
		answers [flavors]string
	}{
		{Redis70, "*72\n", "CLIENT SETINFO LIB-NAME x", [flavors]string{"-ERR unknown subcommand 'SETINFO'. Try CLIENT HELP.\n", "+OK\n", "+OK\n", "+OK\n"}},
		{Redis72, "*73\n", "SENTINEL CONFIG GET log* announce-p* LOGLEVEL", [flavors]string{
			"-ERR Only SENTINEL CONFIG GET <option> / SET <option> <value> are supported.\n",
			"*4\n$8\nloglevel\n$0\n\n$13\nannounce-port\n$1\n0\n", "*4\n$8\nloglevel\n$0\n\n$13\nannounce-port\n$1\n0\n", "*4\n$8\nloglevel\n$0\n\n$13\nannounce-port\n$1\n0\n",
		}},
		{Valkey8, "*77\n", "SENTINEL GET-PRIMARY-ADDR-BY-NAME orders", [flavors]string{
			"-ERR unknown subcommand 'GET-PRIMARY-ADDR-BY-NAME'. Try SENTINEL HELP.\n", "-ERR unknown subcommand 'GET-PRIMARY-ADDR-BY-NAME'. Try SENTINEL HELP.\n",
			"*2\n$9\n127.0.0.1\n$4\n6379\n", "*2\n$9\n127.0.0.1\n$4\n6379\n",
		}},
		{Valkey9, "*77\n", "SENTINEL FAILOVER orders COORDINATED", [flavors]string{
			"-ERR wrong number of arguments for 'sentinel|failover' command\n", "-ERR wrong number of arguments for 'sentinel|failover' command\n",
			"-ERR wrong number of arguments for 'sentinel|failover' command\n", "-NOGOODSLAVE No suitable replica to promote\n",
		}},
	} {
		of := func(f Flavor) *Face { return New(Config{Source: lease, Flavor: f}) }
		if got := said(of(one.flavor), "COMMAND COUNT"); got != ":15\n" {
			t.Errorf("flavor %d: %q commands", one.flavor, got)
		}
		if got := said(of(one.flavor), "COMMAND LIST"); !strings.HasPrefix(got, one.names) {
			t.Errorf("flavor %d: %.5q names, want %q", one.flavor, got, one.names)
		}
		for f, want := range one.answers {
			if got := said(of(Flavor(f)), one.asked); got != want {
				t.Errorf("flavor %d: %s: %q, want %q", f, one.asked, got, want)
			}
		}
	}
}

// TestFlavorsSayWhoTheyAre: clients choose by the version.
func TestFlavorsSayWhoTheyAre(t *testing.T) {
	lease, _ := quiet(t)
	const built = "redis_git_sha1:00000000\nredis_git_dirty:0\nredis_build_id:0\n"
	for f, want := range map[Flavor][2]string{
		Redis70: {"redis_version:7.0.15\n" + built + "redis_mode:sentinel\nos:", "$6\nserver\n$5\nredis\n$7\nversion\n$6\n7.0.15\n"},
		Redis72: {"redis_version:7.2.4\n" + built + "redis_mode:sentinel\nos:", "$6\nserver\n$5\nredis\n$7\nversion\n$5\n7.2.4\n"},
		Valkey9: {"redis_version:7.2.4\nserver_name:valkey\nvalkey_version:9.0.0\n" + built + "server_mode:sentinel\nos:", "$6\nserver\n$6\nvalkey\n$7\nversion\n$5\n9.0.0\n"},
	} {
		face := New(Config{Source: lease, Flavor: f})
		if got := said(face, "INFO server"); !strings.Contains(got, want[0]) {
			t.Errorf("flavor %d: %q", f, got)
		}
		if got := said(face, "HELLO"); !strings.Contains(got, want[1]) {
			t.Errorf("flavor %d: %q", f, got)
		}
	}
	face := New(Config{Source: lease, Flavor: Redis72})
	if got := said(face, "CLIENT SETINFO lib-name x", "CLIENT SETINFO lib-ver 1.2", "CLIENT INFO"); !strings.HasSuffix(got, "resp=2 lib-name=x lib-ver=1.2\n\n") {
		t.Errorf("%q", got)
	}
	if got := said(face, "CLIENT SETINFO lib-ver a\x01b"); got != "-ERR lib-ver cannot contain spaces, newlines or special characters.\n" {
		t.Errorf("%q", got)
	}
}

// ledger is a source that does what it is asked to and says what that was. The rest is a lease's.
type ledger struct {
	*Lease
	did []string
	// err is what every request comes to, and masters what there is to be told.
	err               error
	master            picture.Watched
	replicas, others  []picture.Watched
	quorum            Quorum
	self              Self
	scripts           []Script
	cached            []Cached
	vote              DownAnswer
	resolvesHostnames bool
}

func (l *ledger) note(words ...string) error {
	l.did = append(l.did, strings.Join(words, " "))
	return l.err
}

func (l *ledger) Self() Self                                      { return l.self }
func (l *ledger) Names() []string                                 { return []string{l.master.Name} }
func (l *ledger) Master(name string) (picture.Watched, bool)      { return l.master, name == l.master.Name }
func (l *ledger) Quorum(string) (Quorum, bool)                    { return l.quorum, true }
func (l *ledger) Scripts() []Script                               { return l.scripts }
func (l *ledger) MasterDown(q DownQuestion, say func(DownAnswer)) { l.asked(q); say(l.vote) }
func (l *ledger) Greeting(payload string)                         { _ = l.note("greeting", payload) }
func (l *ledger) Failover(n string, c bool, say func(error))      { say(l.note("failover", n, yesNo(c))) }
func (l *ledger) Remove(name string, say func(error))             { say(l.note("remove", name)) }
func (l *ledger) Configure(s Setting, v string, say func(error)) {
	say(l.note("configure", string(s), v))
}
func (l *ledger) Flush(say func(error)) { say(l.note("flush")) }
func (l *ledger) Shutdown(func(error))  { _ = l.note("shutdown") }
func (l *ledger) AppendCached(to []Cached, n string) ([]Cached, bool) {
	return append(to, l.cached...), n == l.master.Name
}

func (l *ledger) AppendReplicas(to []picture.Watched, name string) ([]picture.Watched, bool) {
	return append(to, l.replicas...), name == l.master.Name
}

func (l *ledger) AppendSentinels(to []picture.Watched, name string) ([]picture.Watched, bool) {
	return append(to, l.others...), name == l.master.Name
}

func (l *ledger) asked(q DownQuestion) {
	_ = l.note("down", q.Host, itoa(q.Port), itoa(q.Epoch), q.RunID)
}

func (l *ledger) Monitor(m Monitor, say func(error)) {
	say(l.note("monitor", m.Name, m.Host, itoa(m.Port), itoa(m.Quorum)))
}

func (l *ledger) Set(name string, options []Option, say func(error)) {
	words := []string{"set", name}
	for _, o := range options {
		words = append(words, o.Name+"("+o.Typed+")="+o.Value+o.To, itoa(o.Number))
	}
	say(l.note(words...))
}

func (l *ledger) Setting(s Setting) string {
	if s == ResolveHostnames {
		return yesNo(l.resolvesHostnames)
	}
	return string(s) + "?"
}

func (l *ledger) Simulate(f Failures) error {
	return l.note("simulate", itoa(int(f)))
}

func (l *ledger) Reset(covers func(string) bool) int {
	_ = l.note("reset", yesNo(covers("orders")), yesNo(covers("Orders")))
	return 1
}

func yesNo(b bool) string {
	if b {
		return yes
	}
	return no
}

// keep is a face of a ledger.
func keep(t *testing.T) (*ledger, *Face) {
	lease, _ := quiet(t)
	l := &ledger{Lease: lease, master: picture.Watched{Name: "orders", Flags: picture.WatchedMaster}}
	return l, New(Config{Source: l, Flavor: Valkey9})
}

// TestFlavorsTellRevisions: what Valkey 8.0 and 9.1 were seen to answer, and Redis 7.0 does not.
func TestFlavorsTellRevisions(t *testing.T) {
	lease, _ := quiet(t)
	none, least := "-ERR syntax error\n", "-ERR maxage should be greater than 0\n"
	for _, one := range []struct {
		asked, part string
		has         [flavors]bool
	}{
		{"COMMAND INFO acl|save", "request_policy:all_nodes", [flavors]bool{Valkey8: true, Valkey9: true}},
		{"COMMAND INFO command|getkeys", "\n:-3\n", [flavors]bool{Valkey8: true, Valkey9: true}},
		{"COMMAND INFO client|setname", "request_policy:all_nodes", [flavors]bool{Valkey8: true, Valkey9: true}},
		{"COMMAND INFO client|reply", "+stale\n+no_multi\n+allow_busy\n", [flavors]bool{Valkey9: true}},
		{"CLIENT LIST", " flags=N capa= db=0 ", [flavors]bool{Valkey9: true}},
		{"CLIENT LIST", " multi=-1 watch=0 qbuf=0 ", [flavors]bool{Valkey8: true, Valkey9: true}},
		{"CLIENT LIST", " lib-name= lib-ver= tot-net-in=0 tot-net-out=0 tot-cmds=0", [flavors]bool{Valkey8: true, Valkey9: true}},
		{"CLIENT KILL MAXAGE 0", least, [flavors]bool{Valkey8: true, Valkey9: true}},
		{"CLIENT KILL MAXAGE 0", none, [flavors]bool{Redis70: true, Redis72: true}},
		{"CLIENT KILL MAXAGE 1 SKIPME no", ":0\n", [flavors]bool{Valkey8: true, Valkey9: true}},
	} {
		for f := range flavors {
			if got := said(New(Config{Source: lease, Flavor: f}), one.asked); strings.Contains(got, one.part) != one.has[f] {
				t.Errorf("flavor %d: %s: %q; has %q: %v", f, one.asked, got, one.part, !one.has[f])
			}
		}
	}
}
