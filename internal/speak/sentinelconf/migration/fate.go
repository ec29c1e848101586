package migration

import (
	"fmt"
	"slices"
	"strings"

	"redkeep/internal/speak/sentinelconf"
)

// fate says what became of a line; "" for comments and blank lines.
func (m *maker) fate(f *sentinelconf.File, l sentinelconf.Line) (Fate, string) {
	if len(l.Words) == 0 {
		return "", ""
	}
	switch directive := l.Directive(); directive {
	case "sentinel":
		if l.Statement() == "" {
			return Dropped, "sentinel: the line says nothing"
		}
		fate, why := m.statement(l.Statement(), l.Words[2:])
		return fate, "sentinel " + why
	default:
		fate, why := m.directive(f, directive)
		return fate, sentinelconf.Shown(directive) + why
	}
}

// because says of statements why Redkeep has no use for them.
var because = map[string]string{
	"failover-timeout":                "nothing waits for it: the lease is the wait (lease), and patience what a candidate gets that can't be promoted",
	"parallel-syncs":                  "replicas go on where they were, all at once, without a full copy",
	"notification-script":             "Redkeep runs no scripts; programs may subscribe to the same events at the same port, people ask redkeep history",
	"client-reconfig-script":          "Redkeep runs no scripts; clients follow +switch-master as before, and an address is moved with vip",
	"deny-scripts-reconfig":           "Redkeep runs no scripts",
	"master-reboot-down-after-period": "a server that started anew has another run ID, and is never taken for the one that was master",
	"config-epoch":                    "Redkeep counts epochs of its own",
	"leader-epoch":                    "Redkeep counts epochs of its own",
	"current-epoch":                   "Redkeep counts epochs of its own",
	"myid":                            "agents know each other by the nodes' names",
	"sentinel-user":                   "agents prove to each other that they know the secret (secret_file)",
	"sentinel-pass":                   "agents prove to each other that they know the secret (secret_file)",
	"announce-port":                   "clients find each agent at listen_port",
	"resolve-hostnames":               "nodes have addresses in redkeep.yaml, so that no failover waits for a name server",
	"announce-hostnames":              "clients are told addresses; those that check certificates for names need these to be for addresses too",
}

// statement says it of a line that begins with sentinel, of which the words after the statement are given.
func (m *maker) statement(name string, args []string) (Fate, string) {
	if why, ok := because[name]; ok {
		return Dropped, name + ": " + why
	}
	at := groupKey(args[0])
	switch name {
	case "monitor":
		return Took, fmt.Sprintf("monitor -> %s.redis, port %s, and %s; no quorum of %s: a majority of the nodes decides", at,
			printable(args[2]), m.node(args[1]), printable(args[3]))
	case "down-after-milliseconds":
		return Took, "down-after-milliseconds -> down_after: " + m.downAfter.String() + ", for all groups; of a lost host the lease decides"
	case "auth-pass", "auth-user", "rename-command":
		return m.login(name, args)
	case "known-replica", "known-slave":
		return Took, fmt.Sprintf("%s -> %s, in %s.data", name, m.node(args[1]), at)
	case "announce-ip":
		return m.voter(name, args[0])
	default: // known-sentinel
		return m.voter(name, args[1])
	}
}

// login says it of what a group's servers want of those who give them orders.
func (m *maker) login(statement string, args []string) (Fate, string) {
	g := m.byName[args[0]]
	key, command := ".redis.", strings.ToUpper(args[1])
	counts := false
	switch statement {
	case "auth-pass":
		key, counts = key+"password", args[1] == g.AuthPass.Reveal()
	case "auth-user":
		key, counts = key+"user", args[1] == g.AuthUser
		if counts && g.AuthPass.Empty() {
			return Dropped, "auth-user: without auth-pass, Sentinel doesn't log in"
		}
	default:
		if !slices.Contains(renamable, command) {
			return Dropped, "rename-command " + sentinelconf.Shown(command) + ": the agent doesn't use that command"
		}
		key, counts = key+"rename."+command, slices.ContainsFunc(g.Renames, func(r sentinelconf.Rename) bool {
			return sameRename(r, sentinelconf.Rename{Command: command, Name: args[2]})
		})
	}
	if !counts {
		return Dropped, statement + ": another line counts, in " + printable(g.file.Name)
	}
	return Took, statement + " -> " + groupKey(g.Name) + key
}

// node is a host's place in the file.
func (m *maker) node(text string) string {
	if name := m.site.name(text); name != "" {
		return "nodes." + printable(name)
	}
	return "no node"
}

// voter says whether a Sentinel's host has become a node.
func (m *maker) voter(statement, text string) (Fate, string) {
	if m.site.name(text) == "" {
		return Dropped, statement + " " + printable(text) + ": an even number of voters survives no more losses than one fewer; name it with --node to have it vote"
	}
	return Took, statement + " -> " + m.node(text)
}

// directive says it of every other line.
func (m *maker) directive(f *sentinelconf.File, name string) (Fate, string) {
	switch name {
	case "port":
		if port := sentinelPort(f); port == m.listenPort {
			return Took, fmt.Sprintf(" -> listen_port: %d", port)
		}
		if m.listenPort == 0 {
			return Dropped, fmt.Sprintf(": clients find the agents at the port of listen_tls, %d", m.listen.tls)
		}
		return Dropped, fmt.Sprintf(": clients find the agents at listen_port, %d", m.listenPort)
	case "bind":
		if own := m.site.own[f]; f.AnnounceIP == "" && slices.Contains(f.Last("bind"), own) && m.site.name(own) != "" {
			return Took, " -> " + m.node(own)
		}
		return Dropped, ": the agent needs no choice of addresses to listen on"
	case "include":
		return Asks, ": the file that it names was not read; copy its lines to here, and import again"
	case "masterauth", "masteruser":
		return Dropped, ": a Sentinel has no master; what it logs in with at servers is auth-pass"
	case "dir", "logfile", "loglevel", "daemonize", "pidfile", "supervised", "syslog-enabled", "syslog-ident", "syslog-facility":
		return Dropped, ": the agent runs under systemd, logs to the journal and keeps its state in /var/lib/redkeep"
	case "tls-replication":
		if m.tls != nil {
			return Took, " -> groups.*.redis.tls, without a plain port"
		}
	case "tls-ca-cert-file", "tls-cert-file", "tls-key-file", "tls-client-cert-file", "tls-client-key-file":
		if places := m.usesOf(absolute(f, word(f, name))); len(places) > 0 {
			return Took, " -> " + strings.Join(places, " and ")
		}
	}
	if fate, why, ok := m.listening(f, name); ok {
		return fate, why
	}
	return Dropped, ": a setting of the Sentinel process, of which the agent has no counterpart"
}
