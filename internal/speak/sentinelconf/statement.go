package sentinelconf

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"redkeep/internal/words"
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
	read func(r *reader, line queued, m *Master, args []string)
}

// queued is a line of sentinel's own that has been split.
type queued struct {
	// line counts from 1.
	line  int
	raw   string
	words []string
}

// count returns how many words follow.
func (s statement) count() int { return strings.Count(s.takes, " ") + 1 }

// unrecognized is what redis-sentinel says of whatever it can't make out.
const unrecognized = "Unrecognized sentinel configuration statement."

// statements reads the lines turn by turn, until so many things are wrong; what no turn knows is refused in the last.
func (r *reader) statements(lines []queued, enough int) {
	known := statementTable()
	at := make([]int, len(lines))
	for i, l := range lines {
		at[i] = len(known)
		if len(l.words) > 1 { // sentinel alone is taken, and means nothing
			at[i] = slices.IndexFunc(known, func(s statement) bool { return strings.EqualFold(s.name, l.words[1]) })
		}
	}
	for turn := global; turn <= master; turn++ {
		for i, l := range lines {
			if r.full() || len(r.problems)-r.unknown >= enough {
				return
			}
			switch {
			case at[i] == len(known):
			case at[i] >= 0 && known[at[i]].pass == turn:
				r.statement(l, known[at[i]], l.words[2:])
			case at[i] < 0 && turn == master:
				r.noStatement(l, strings.ToLower(l.words[1]), known)
			}
		}
	}
}

// statement reads one line, whose name is known.
func (r *reader) statement(line queued, s statement, args []string) {
	if s.name == "known-sentinel" && len(args) == 3 {
		return // written before Sentinels had IDs; redis-sentinel passes over it as well
	}
	if len(args) != s.count() {
		r.wrong(line, UnknownStatement, unrecognized, "write: sentinel "+s.name+" "+s.takes, "sentinel %s has %d words after it", s.name, len(args))
		return
	}
	var m *Master
	if s.pass == master {
		if m = r.masters[args[0]]; m == nil {
			r.wrong(line, UnknownMaster, "No such master with specified name.", r.whichMaster(args[0]), "no monitor line names the master %q", Shown(args[0]))
			return
		}
	}
	s.read(r, line, m, args)
}

// noStatement refuses a word after sentinel, with the nearest one that would have been known.
func (r *reader) noStatement(line queued, name string, known []statement) {
	names := make([]string, len(known))
	for i, s := range known {
		names[i] = s.name
	}
	do := "leave it out, redis-sentinel 7.0 would not start with it"
	if near, ok := words.Nearest(name, names); ok {
		do = "did you mean sentinel " + near + "?"
	}
	r.wrong(line, UnknownStatement, unrecognized, do, "there is no statement sentinel %q", Shown(name))
}

// whichMaster says what may have been meant.
func (r *reader) whichMaster(name string) string {
	names := make([]string, len(r.Masters))
	for i, m := range r.Masters {
		names[i] = m.Name
	}
	if near, ok := words.Nearest(name, names); ok {
		return "did you mean " + Shown(near) + "?"
	}
	return "add the line: sentinel monitor NAME HOST PORT QUORUM"
}

// statementTable lists all statements.
func statementTable() []statement {
	text := func(into func(m *Master, text string)) func(*reader, queued, *Master, []string) {
		return func(_ *reader, _ queued, m *Master, args []string) { into(m, args[1]) }
	}
	replica := func(r *reader, line queued, m *Master, args []string) {
		if a, ok := r.address(line, args[1], args[2]); ok && r.first(m, BadHost, a.String()) {
			m.Replicas = append(m.Replicas, a)
		}
	}
	return []statement{
		{"announce-ip", "IP", global, func(r *reader, _ queued, _ *Master, args []string) {
			r.AnnounceIP = cmp.Or(args[0], r.AnnounceIP)
		}},
		{"announce-port", "PORT", global, func(r *reader, _ queued, _ *Master, args []string) { r.AnnouncePort = integer(args[0]) }},
		{"deny-scripts-reconfig", "yes|no", global, func(r *reader, line queued, _ *Master, args []string) {
			r.yes(line, &r.DenyScriptsReconfig, "deny-scripts-reconfig", args[0])
		}},
		{"sentinel-user", "USER", global, func(r *reader, _ queued, _ *Master, args []string) {
			r.SentinelUser = cmp.Or(args[0], r.SentinelUser)
		}},
		{"sentinel-pass", "PASSWORD", global, func(r *reader, _ queued, _ *Master, args []string) {
			r.SentinelPass = cmp.Or(words.NewSecret(args[0]), r.SentinelPass)
		}},
		{"current-epoch", "N", global, func(r *reader, _ queued, _ *Master, args []string) {
			r.CurrentEpoch = max(r.CurrentEpoch, epoch(args[0]))
		}},
		{"myid", "ID", global, (*reader).myID},
		{"resolve-hostnames", "yes|no", global, func(r *reader, line queued, _ *Master, args []string) {
			r.yes(line, &r.ResolveHostnames, "resolve-hostnames", args[0])
		}},
		{"announce-hostnames", "yes|no", global, func(r *reader, line queued, _ *Master, args []string) {
			r.yes(line, &r.AnnounceHostnames, "announce-hostnames", args[0])
		}},
		{"monitor", "NAME HOST PORT QUORUM", monitor, (*reader).monitor},
		{"down-after-milliseconds", "NAME MS", master, milliseconds("down-after-milliseconds", 1, func(m *Master, d time.Duration) { m.DownAfter = d })},
		{"failover-timeout", "NAME MS", master, milliseconds("failover-timeout", 1, func(m *Master, d time.Duration) { m.FailoverTimeout = d })},
		{"master-reboot-down-after-period", "NAME MS", master, milliseconds("master-reboot-down-after-period", 0,
			func(m *Master, d time.Duration) { m.RebootDownAfter = d })},
		{"parallel-syncs", "NAME N", master, text(func(m *Master, t string) { m.ParallelSyncs = integer(t) })},
		{"notification-script", "NAME PATH", master, script("Notification", func(m *Master, t string) { m.NotificationScript = t })},
		{"client-reconfig-script", "NAME PATH", master, script("Client reconfiguration", func(m *Master, t string) { m.ReconfigScript = t })},
		{"auth-pass", "NAME PASSWORD", master, text(func(m *Master, t string) { m.AuthPass = words.NewSecret(t) })},
		{"auth-user", "NAME USER", master, text(func(m *Master, t string) { m.AuthUser = t })},
		{"rename-command", "NAME COMMAND NEWNAME", master, (*reader).rename},
		{"config-epoch", "NAME N", master, func(r *reader, _ queued, m *Master, args []string) {
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
func milliseconds(name string, least int, into func(m *Master, d time.Duration)) func(*reader, queued, *Master, []string) {
	return func(r *reader, line queued, m *Master, args []string) {
		n := integer(args[1])
		if n < least {
			reason := "negative or zero time parameter."
			if least == 0 {
				reason = "negative time parameter."
			}
			r.wrong(line, BadTime, reason, "write a number of milliseconds, like 5000", "%s of master %q is %d", name, Shown(m.Name), n)
			return
		}
		into(m, time.Duration(n)*time.Millisecond)
	}
}

// script reads the path of a program, if there is a host that could run it.
func script(what string, into func(m *Master, path string)) func(*reader, queued, *Master, []string) {
	return func(r *reader, line queued, m *Master, args []string) {
		if r.executable != nil && !r.executable(args[1]) {
			r.wrong(line, NotExecutable, what+" script seems non existing or non executable.", "chmod +x it", "the script of master %q can't be run", Shown(m.Name))
			return
		}
		into(m, args[1])
	}
}

// myID reads this Sentinel's own name among its peers.
func (r *reader) myID(line queued, _ *Master, args []string) {
	if len(args[0]) != 40 {
		r.wrong(line, BadID, "Malformed Sentinel id in myid option.", "leave the line out, and redis-sentinel makes a new one", "myid has %d characters and not 40", len(args[0]))
		return
	}
	r.MyID = args[0]
}

// monitor reads a master's own line.
func (r *reader) monitor(line queued, _ *Master, args []string) {
	quorum := integer(args[3])
	if quorum < 1 {
		r.wrong(line, BadQuorum, "Quorum must be 1 or greater.", "choose 2 for three Sentinels", "the quorum of master %q is %d", Shown(args[0]), quorum)
		return
	}
	address, ok := r.address(line, args[1], args[2])
	if !ok {
		return
	}
	if r.masters[args[0]] != nil {
		r.wrong(line, DuplicateMaster, "Duplicate master name.", "keep one of them", "there are two masters called %q", Shown(args[0]))
		return
	}
	m := &Master{
		Name: args[0], Addr: address, Quorum: quorum, Line: line.line,
		DownAfter: DefaultDownAfter, FailoverTimeout: DefaultFailoverTimeout, ParallelSyncs: DefaultParallelSyncs,
	}
	r.masters[m.Name], r.Masters = m, append(r.Masters, m)
}

// address reads a host and a port.
func (r *reader) address(line queued, host, port string) (Address, bool) {
	n, ok := r.port(line, port)
	if !ok {
		return Address{}, false
	}
	host, ok = r.host(line, host)
	return Address{host, n}, ok
}

// rename reads a command's other name.
func (r *reader) rename(line queued, m *Master, args []string) {
	command := args[1]
	if !r.first(m, DuplicateRename, strings.ToUpper(command)) {
		r.wrong(line, DuplicateRename, "Same command renamed multiple times with rename-command.", "keep one of them", "the command %q of master %q is renamed twice", Shown(strings.ToUpper(command)), Shown(m.Name))
		return
	}
	m.Renames = append(m.Renames, Rename{command, args[2]})
}

// sentinel reads another Sentinel.
func (r *reader) sentinel(line queued, m *Master, args []string) {
	a, ok := r.address(line, args[1], args[2])
	if !ok {
		return
	}
	if !r.first(m, DuplicateSentinel, args[3]) {
		r.wrong(line, DuplicateSentinel, "Duplicate runid for sentinel.", "keep the one that runs", "two Sentinels of master %q have the same ID", Shown(m.Name))
		return
	}
	m.Sentinels = append(m.Sentinels, Peer{a, args[3]})
}
