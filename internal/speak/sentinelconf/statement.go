package sentinelconf

import (
	"slices"
	"strings"
	"time"
)

// pass is the turn in which a statement is read: redis-sentinel takes the whole file three times, so that a master's lines
// may stand before its monitor line.
type pass uint8

const (
	global pass = iota
	monitor
	master
)

// statement is one word that may follow sentinel.
type statement struct {
	name string
	// takes are the words after it, as people write them.
	takes string
	pass  pass
	// read is given the words after the statement's name, of the right number; m is the master that they name, in the
	// last pass.
	read func(r *reader, line int, m *Master, args []string)
}

// count returns how many words follow.
func (s statement) count() int { return strings.Count(s.takes, " ") + 1 }

// statements are read pass by pass; what no pass knows is refused.
func (r *reader) statements() {
	known := statementTable()
	for turn := global; turn <= master; turn++ {
		for i, l := range r.Lines {
			if r.full() {
				return
			}
			if l.Directive() != "sentinel" || len(l.Words) < 2 {
				continue // sentinel alone is taken, and means nothing
			}
			at := slices.IndexFunc(known, func(s statement) bool { return s.name == l.Statement() })
			if at >= 0 && known[at].pass == turn {
				r.statement(i+1, known[at], l.Words[2:])
			}
			if at < 0 && turn == global {
				r.noStatement(i+1, l.Statement(), known)
			}
		}
	}
}

// statement reads one line, whose name is known.
func (r *reader) statement(line int, s statement, args []string) {
	if s.name == "known-sentinel" && len(args) == 3 {
		return // written before Sentinels had IDs; redis-sentinel passes over it as well
	}
	if len(args) != s.count() {
		r.wrong(line, UnknownStatement, "write: sentinel "+s.name+" "+s.takes, "sentinel %s has %d words after it", s.name, len(args))
		return
	}
	var m *Master
	if s.pass == master {
		if m = r.masters[args[0]]; m == nil {
			r.wrong(line, UnknownMaster, r.whichMaster(args[0]), "no monitor line names the master %q", Shown(args[0]))
			return
		}
	}
	s.read(r, line, m, args)
}

// noStatement refuses a word after sentinel, with the nearest one that would have been known.
func (r *reader) noStatement(line int, name string, known []statement) {
	names := make([]string, len(known))
	for i, s := range known {
		names[i] = s.name
	}
	do := "leave it out, redis-sentinel 7.0 would not start with it"
	if near, ok := nearest(name, names); ok {
		do = "did you mean sentinel " + near + "?"
	}
	r.wrong(line, UnknownStatement, do, "there is no statement sentinel %q", Shown(name))
}

// whichMaster says what may have been meant.
func (r *reader) whichMaster(name string) string {
	names := make([]string, len(r.Masters))
	for i, m := range r.Masters {
		names[i] = m.Name
	}
	if near, ok := nearest(name, names); ok {
		return "did you mean " + Shown(near) + "?"
	}
	return "add the line: sentinel monitor NAME HOST PORT QUORUM"
}

// statementTable lists all statements.
func statementTable() []statement { //nolint:funlen // the table of a closed set
	text := func(into func(m *Master, text string)) func(*reader, int, *Master, []string) {
		return func(_ *reader, _ int, m *Master, args []string) { into(m, args[1]) }
	}
	replica := func(r *reader, line int, m *Master, args []string) {
		if a, ok := r.address(line, args[1], args[2]); ok && r.first(m, BadHost, a.String()) {
			m.Replicas = append(m.Replicas, a)
		}
	}
	return []statement{
		{"announce-ip", "IP", global, func(r *reader, _ int, _ *Master, args []string) { r.AnnounceIP = args[0] }},
		{"announce-port", "PORT", global, func(r *reader, _ int, _ *Master, args []string) { r.AnnouncePort = integer(args[0]) }},
		{"deny-scripts-reconfig", "yes|no", global, func(r *reader, line int, _ *Master, args []string) {
			r.yes(line, &r.DenyScriptsReconfig, "deny-scripts-reconfig", args[0])
		}},
		{"sentinel-user", "USER", global, func(r *reader, _ int, _ *Master, args []string) { r.SentinelUser = args[0] }},
		{"sentinel-pass", "PASSWORD", global, func(r *reader, _ int, _ *Master, args []string) { r.SentinelPass = Secret{args[0]} }},
		{"current-epoch", "N", global, func(r *reader, _ int, _ *Master, args []string) {
			r.CurrentEpoch = max(r.CurrentEpoch, epoch(args[0]))
		}},
		{"myid", "ID", global, (*reader).myID},
		{"resolve-hostnames", "yes|no", global, func(r *reader, line int, _ *Master, args []string) {
			r.yes(line, &r.ResolveHostnames, "resolve-hostnames", args[0])
		}},
		{"announce-hostnames", "yes|no", global, func(r *reader, line int, _ *Master, args []string) {
			r.yes(line, &r.AnnounceHostnames, "announce-hostnames", args[0])
		}},
		{"monitor", "NAME HOST PORT QUORUM", monitor, (*reader).monitor},
		{"down-after-milliseconds", "NAME MS", master, milliseconds("down-after-milliseconds", 1, func(m *Master, d time.Duration) { m.DownAfter = d })},
		{"failover-timeout", "NAME MS", master, milliseconds("failover-timeout", 1, func(m *Master, d time.Duration) { m.FailoverTimeout = d })},
		{"master-reboot-down-after-period", "NAME MS", master, milliseconds("master-reboot-down-after-period", 0,
			func(m *Master, d time.Duration) { m.RebootDownAfter = d })},
		{"parallel-syncs", "NAME N", master, text(func(m *Master, t string) { m.ParallelSyncs = integer(t) })},
		{"notification-script", "NAME PATH", master, text(func(m *Master, t string) { m.NotificationScript = t })},
		{"client-reconfig-script", "NAME PATH", master, text(func(m *Master, t string) { m.ReconfigScript = t })},
		{"auth-pass", "NAME PASSWORD", master, text(func(m *Master, t string) { m.AuthPass = Secret{t} })},
		{"auth-user", "NAME USER", master, text(func(m *Master, t string) { m.AuthUser = t })},
		{"rename-command", "NAME COMMAND NEWNAME", master, (*reader).rename},
		{"config-epoch", "NAME N", master, func(r *reader, _ int, m *Master, args []string) {
			m.ConfigEpoch = epoch(args[1])
			r.CurrentEpoch = max(r.CurrentEpoch, m.ConfigEpoch)
		}},
		{"leader-epoch", "NAME N", master, text(func(m *Master, t string) { m.LeaderEpoch = epoch(t) })},
		{"known-replica", "NAME IP PORT", master, replica},
		{"known-slave", "NAME IP PORT", master, replica},
		{"known-sentinel", "NAME IP PORT ID", master, (*reader).sentinel},
	}
}

// milliseconds reads a time of at least so many.
func milliseconds(name string, least int, into func(m *Master, d time.Duration)) func(*reader, int, *Master, []string) {
	return func(r *reader, line int, m *Master, args []string) {
		n := integer(args[1])
		if n < least {
			r.wrong(line, BadTime, "write a number of milliseconds, like 5000", "%s of master %q is %d", name, Shown(m.Name), n)
			return
		}
		into(m, time.Duration(n)*time.Millisecond)
	}
}

// myID reads this Sentinel's own name among its peers.
func (r *reader) myID(line int, _ *Master, args []string) {
	if len(args[0]) != 40 {
		r.wrong(line, BadID, "leave the line out, and redis-sentinel makes a new one", "myid has %d characters and not 40", len(args[0]))
		return
	}
	r.MyID = args[0]
}

// monitor reads a master's own line.
func (r *reader) monitor(line int, _ *Master, args []string) {
	quorum := integer(args[3])
	if quorum < 1 {
		r.wrong(line, BadQuorum, "choose 2 for three Sentinels", "the quorum of master %q is %d", Shown(args[0]), quorum)
		return
	}
	if r.masters[args[0]] != nil {
		r.wrong(line, DuplicateMaster, "keep one of them", "there are two masters called %q", Shown(args[0]))
		return
	}
	address, ok := r.address(line, args[1], args[2])
	if !ok {
		return
	}
	m := &Master{
		Name: args[0], Addr: address, Quorum: quorum, Line: line,
		DownAfter: DefaultDownAfter, FailoverTimeout: DefaultFailoverTimeout, ParallelSyncs: DefaultParallelSyncs,
	}
	r.masters[m.Name], r.Masters = m, append(r.Masters, m)
}

// address reads a host and a port.
func (r *reader) address(line int, host, port string) (Address, bool) {
	host, good := r.host(line, host)
	n, ok := r.port(line, port)
	return Address{host, n}, good && ok
}

// rename reads a command's other name.
func (r *reader) rename(line int, m *Master, args []string) {
	command := strings.ToUpper(args[1])
	if !r.first(m, DuplicateRename, command) {
		r.wrong(line, DuplicateRename, "keep one of them", "the command %q of master %q is renamed twice", Shown(command), Shown(m.Name))
		return
	}
	m.Renames = append(m.Renames, Rename{command, args[2]})
}

// sentinel reads another Sentinel.
func (r *reader) sentinel(line int, m *Master, args []string) {
	a, ok := r.address(line, args[1], args[2])
	if !ok {
		return
	}
	if !r.first(m, DuplicateSentinel, args[3]) {
		r.wrong(line, DuplicateSentinel, "keep the one that runs", "two Sentinels of master %q have the same ID", Shown(m.Name))
		return
	}
	m.Sentinels = append(m.Sentinels, Peer{a, args[3]})
}
