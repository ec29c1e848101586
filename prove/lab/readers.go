package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"redkeep/internal/stage"
)

// readers are people who do what a page says, on hosts as the page finds them.
type readers struct {
	*stage.Stage
	t      *testing.T
	tree   string
	houses map[string]*household
	units  map[string]map[string]*unit
	desk   *desk
	// alike are the hosts that "each" means.
	alike []string
}

// found is how a page finds its reader's hosts.
type found string

const (
	// foundBare hosts have the packages, and nothing runs or is configured.
	foundBare found = "bare"
	// foundRedis hosts have a running master on h1 with replicas on h2 and h3, each with a redis-sentinel, and no Redkeep.
	foundRedis found = "redis"
	// foundQuorum hosts are such, and h3's server is the last to be promoted.
	foundQuorum found = "quorum"
	// foundPair are h1 and h2 alone, a master and its replica, with the secret in its place and no Redkeep running; h3 joins later.
	foundPair found = "pair"
	// foundRouters are h1 and h2 alone, with a server each that listens on the network and is nobody's replica; keepalived, its scripts and an
	// onlooker are the test's.
	foundRouters found = "routers"
	// foundKept hosts have such servers with Redkeep.
	foundKept found = "kept"
)

const (
	// askedAgain is how often a question is asked until its answer is as on the page, for at most askedFor.
	askedAgain = 100 * time.Millisecond
	askedFor   = 10 * time.Second
	// settling is how long hosts are left alone before a page begins on them, and where it says "later": voters that have
	// just started wait a lease before they vote for another, and offsets are told each second.
	settling = 1000 * time.Millisecond
	// pageLimit bounds a page.
	pageLimit = 2 * time.Minute
)

// keptFile is the configuration of foundKept: the README's, with a shorter lease, since a page is read in real time.
const keptFile = `secret: a-secret-of-the-lab
lease: 500ms
down_after: 1s
nodes: {h1: 10.77.0.11, h2: 10.77.0.12, h3: 10.77.0.13}
groups:
  orders:
    redis: 6379
    vip: 10.77.0.100
`

// newReaders makes three hosts as a page finds them.
func newReaders(t *testing.T, tree string, f found) *readers {
	t.Helper()
	var o stage.Options
	if f == foundRouters {
		o = stage.Options{Hosts: []string{"h1", "h2"}, Guests: []string{onlooker}}
	}
	st, err := stage.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	s := &readers{Stage: st, t: t, tree: tree, houses: map[string]*household{}, units: map[string]map[string]*unit{}}
	t.Cleanup(s.leave)
	programs, err := linkPrograms(st.Dir())
	s.must(err)
	for _, h := range append(st.Hosts(), st.Client()) {
		if h.Name() != stage.ClientName && (f != foundPair || h.Name() != "h3") {
			s.alike = append(s.alike, h.Name())
		}
		e, err := keepHouse(h, programs)
		s.must(err)
		if h.Name() == stage.ClientName {
			s.houses["app"] = e
			continue
		}
		s.houses[h.Name()] = e
		s.units[h.Name()], err = units(e, filepath.Join(tree, "dist"))
		s.must(err)
		text, err := os.ReadFile(filepath.Join(tree, "dist", "redkeep.yaml"))
		s.must(err)
		s.must(e.write("/etc/redkeep/redkeep.yaml", string(text), 0o600)) // which the package brings, to be edited
	}
	s.furnish(t.Context(), f)
	return s
}

// linkPrograms makes a directory with the program under test and the server, under the names that they have on a host.
func linkPrograms(dir string) (string, error) {
	server, err := stage.FindRedis()
	if err != nil {
		return "", err
	}
	programs := filepath.Join(dir, "bin")
	return programs, errors.Join(
		os.Mkdir(programs, 0o755), os.Symlink(binary, filepath.Join(programs, "redkeep")), os.Symlink(server, filepath.Join(programs, "redis-server")),
	)
}

// furnish brings the hosts to where the page begins.
func (s *readers) furnish(ctx context.Context, f found) {
	s.t.Helper()
	if f == foundBare {
		return
	}
	for _, name := range s.alike {
		h := s.Host(name)
		text := strings.NewReplacer("bind 127.0.0.1 -::1", "bind * -::*", "protected-mode yes", "protected-mode no").Replace(distribution)
		if h.Name() != "h1" && f != foundRouters {
			text += "replicaof 10.77.0.11 6379\n"
		}
		if f == foundQuorum && h.Name() == "h3" {
			text += "replica-priority 200\n"
		}
		s.must(s.houses[h.Name()].write("/etc/redis/redis.conf", text, 0o640))
		s.must(s.units[h.Name()]["redis-server"].Start(ctx))
	}
	if f == foundRouters {
		return
	}
	s.must(s.repeat(ctx, step{where: "h1", command: fmt.Sprintf("redis-cli INFO replication | grep state=online | grep -q slave%d", len(s.alike)-2)}))
	if f == foundPair {
		for _, h := range s.Hosts() {
			s.must(s.houses[h.Name()].write("/etc/redkeep/secret", "a-secret-of-the-lab\n", 0o600))
		}
		return
	}
	if f == foundRedis || f == foundQuorum {
		s.watchBySentinel(ctx)
		return
	}
	for _, h := range s.Hosts() {
		s.must(s.houses[h.Name()].write("/etc/redkeep/redkeep.yaml", keptFile, 0o600))
		s.must(s.units[h.Name()]["redkeep"].Start(ctx))
	}
	s.must(s.repeat(ctx, step{where: "h1", command: "redkeep status | grep -q 'h3 .*in sync'"}))
	<-time.After(settling)
}

// sentinelFile is what a site has that Sentinel decides on.
const sentinelFile = `port 26379
dir /var/lib/redis
sentinel monitor orders 10.77.0.11 6379 2
sentinel down-after-milliseconds orders 2000
`

// watchBySentinel starts the Sentinels of a site, and waits until they know of each other.
func (s *readers) watchBySentinel(ctx context.Context) {
	s.t.Helper()
	for _, h := range s.places("each") {
		s.must(s.houses[h].write("/etc/redis/sentinel.conf", sentinelFile, 0o640))
		s.must(s.units[h]["redis-sentinel"].Start(ctx))
	}
	s.must(s.repeat(ctx, step{where: "h1", command: "redis-cli -p 26379 INFO sentinel | grep -q slaves=2,sentinels=3"}))
}

// leave ends everything.
func (s *readers) leave() {
	if s.t.Failed() || *logs {
		for h, all := range s.units {
			for _, name := range []string{"keepalived", "redkeep"} {
				if u := all[name]; u != nil && u.process != nil {
					s.t.Logf("---- %s of %s\n%s\n%s", name, h, tail(u.process.Log(), 3000), tail(s.houses[h].at("/var/log/redis/redis-server.log"), 3000))
				}
			}
		}
	}
	for _, all := range s.units {
		for _, u := range all {
			u.Forget()
		}
	}
	if err := s.Close(); err != nil {
		s.t.Error(err)
	}
}

func (s *readers) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// follow does one step of a page.
func (s *readers) follow(ctx context.Context, st step) error {
	switch {
	case st.direction != "":
		return s.direct(ctx, strings.Fields(st.direction))
	case st.yaml != "":
		return s.configure(ctx, st)
	}
	if e, ok := insteadOf(st.command); ok {
		for _, where := range s.places(st.where) {
			if err := e.instead(ctx, s, where, strings.Fields(st.command)); err != nil {
				return err
			}
		}
		return nil
	}
	if built, ok := strings.CutPrefix(st.command, "./bin/redkeep "); ok && st.where == "" {
		return s.own(ctx, strings.Fields(built), st)
	}
	if st.where == "" {
		return fmt.Errorf("nobody runs %q: give it a prompt, or a line in the table of what is not run here", st.command)
	}
	for _, where := range s.places(st.where) {
		one := st
		one.where = where
		if err := s.repeat(ctx, one); err != nil {
			return err
		}
	}
	return nil
}

// places are the hosts that a prompt means.
func (s *readers) places(where string) []string {
	if where != "each" {
		return []string{where}
	}
	return s.alike
}

// asks are the commands that change nothing, and may be asked again until the hosts are as the page has them; and the one that is
// refused, having changed nothing, while agents that were just started have not seen their servers.
var asks = regexp.MustCompile(`^(redkeep (status|explain|history|check|version|gate show|bootstrap)\b|redis-cli\b.* (GET|ROLE|INFO|PING|DBSIZE|SENTINEL|sentinel)\b|ip |nft list |grep )`)

// repeat runs a command, a question until its answer is as it should be.
func (s *readers) repeat(ctx context.Context, st step) error {
	house := s.houses[st.where]
	if house == nil {
		return fmt.Errorf("there is no host %q", st.where)
	}
	for end := time.Now().Add(askedFor); ; {
		err := s.once(ctx, house, st)
		if err == nil || !asks.MatchString(st.command) || time.Now().After(end) {
			return err
		}
		select {
		case <-time.After(askedAgain):
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		}
	}
}

func (s *readers) once(ctx context.Context, house *household, st step) error {
	ctx, cancel := context.WithTimeout(ctx, typedLimit)
	defer cancel()
	lines, code, err := house.typed(ctx, st.command)
	s.t.Logf("%s# %s\n%s", st.where, st.command, strings.Join(lines, "\n"))
	switch {
	case err != nil:
		return err
	case code != st.exits:
		return fmt.Errorf("exit code %d, not %d:\n  %s", code, st.exits, strings.Join(lines, "\n  "))
	case st.output == nil:
		return nil
	}
	return compare(st.output, lines)
}

// direct does what happens to the hosts and not by a command: cut, heal, off, on and a host; disable, whose agent does not
// start at the next boot; join, which "each" means from then on; await, whose server is to be in sync; claim and unclaim, which
// has the group's address and should not; agree, when the Sentinels name one master that the other servers follow; and later,
// since a reader is slower than a test.
func (s *readers) direct(ctx context.Context, words []string) error {
	switch {
	case len(words) != 1:
	case words[0] == "later":
		<-time.After(settling)
		return nil
	case words[0] == "agree":
		return s.agree(ctx)
	}
	if len(words) == 2 && strings.HasSuffix(words[0], "claim") && s.houses[words[1]] != nil {
		verb := map[string]string{"claim": "add", "unclaim": "del"}[words[0]]
		return s.once(ctx, s.houses[words[1]], step{where: words[1], command: "ip address " + verb + " 10.77.0.100/32 dev eth0"})
	}
	if len(words) != 2 || s.units[words[1]] == nil {
		return fmt.Errorf("a direction is a verb and a host, not %q", words)
	}
	switch verb, host := words[0], words[1]; verb {
	case "cut":
		return s.Cut(host)
	case "heal":
		return s.Heal(host)
	case "off":
		for _, u := range s.units[host] {
			u.Forget()
		}
		return s.PowerOff(host)
	case "join":
		s.alike = append(slices.Clone(s.alike), host)
		return nil
	case "disable":
		s.units[host]["redkeep"].Enable(false)
		return nil
	case "await":
		return s.repeat(ctx, step{where: host, command: "redkeep status | grep '" + host + " .*in sync'"})
	case "on":
		err := s.PowerOn(host)
		for _, name := range []string{"redkeep-gate", "redis-server", "redkeep"} {
			err = errors.Join(err, s.units[host][name].Boot(ctx))
		}
		return err
	default:
		return fmt.Errorf("there is no direction %q", verb)
	}
}

// agree waits for what the Sentinels of a site bring about: a server that was away is a replica again after some ten seconds.
func (s *readers) agree(ctx context.Context) error {
	const ask = `redis-cli -p 26379 SENTINEL get-master-addr-by-name orders | head -n 1`
	var err error
	for range 4 {
		lines, _, told := s.houses["h1"].typed(ctx, ask)
		if told != nil || len(lines) != 1 {
			return fmt.Errorf("h1 names no master: %q, %w", lines, told)
		}
		err = s.repeat(ctx, step{where: "h1", command: "redis-cli -h " + lines[0] + ` INFO replication | tr -d '\r' | grep -qx connected_slaves:2`})
		for _, h := range s.places("each") {
			err = errors.Join(err, s.repeat(ctx, step{where: h, command: ask + " | grep -qx " + lines[0]}))
		}
		if err == nil {
			return nil
		}
	}
	return err
}

// fragment is what the keys of a group are put into, where a page shows no more of the file.
const fragment = "secret: a-secret-of-the-lab\nnodes: {h1: 10.77.0.11, h2: 10.77.0.12, h3: 10.77.0.13}\ngroups:\n  orders:\n    redis: 6379\n"

// configure checks a configuration that is shown, and writes it where its first line says.
func (s *readers) configure(ctx context.Context, st step) error {
	text := st.yaml
	switch {
	case !strings.Contains(text, "groups:") && strings.Contains(text, "nodes:"):
		return fmt.Errorf("a configuration without groups")
	case !strings.Contains(text, "groups:"):
		head := fragment
		if strings.HasPrefix(text, "redis:") {
			head = strings.TrimSuffix(head, "    redis: 6379\n")
		}
		text = head + regexp.MustCompile(`(?m)^`).ReplaceAllString(strings.TrimRight(text, "\n"), "    ") + "\n"
	}
	path := "/etc/redkeep/shown.yaml"
	if st.path != "" {
		path = st.path
	}
	for _, h := range s.places("each") {
		s.must(s.houses[h].write(path, text, 0o600))
	}
	lines, code, err := s.houses["h1"].typed(ctx, "redkeep check -c "+path)
	if err == nil && code != 0 {
		err = fmt.Errorf("redkeep check says:\n  %s", strings.Join(lines, "\n  "))
	}
	return err
}
