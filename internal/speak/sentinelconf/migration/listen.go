package migration

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"redkeep/internal/speak/sentinelconf"
)

// listen is what a Sentinel's own clients need.
type listen struct {
	password string
	// tls is the port with TLS, 0 for none.
	tls       int
	cert, key string
	// ca is what the clients' own certificates are checked with; mutual says that they need one.
	ca     string
	mutual bool
}

// listenOf reads it.
func listenOf(f *sentinelconf.File) listen {
	l := listen{password: word(f, "requirepass")}
	port, err := strconv.ParseUint(word(f, "tls-port"), 10, 16)
	if err != nil || port == 0 {
		return l
	}
	l.tls, l.cert, l.key = int(port), absolute(f, word(f, "tls-cert-file")), absolute(f, word(f, "tls-key-file"))
	if who := word(f, "tls-auth-clients"); who != "no" && who != "optional" {
		l.mutual, l.ca = true, absolute(f, word(f, "tls-ca-cert-file"))
	}
	return l
}

// clients takes over what the first file's clients need, and asks where the others' need something else.
func (m *maker) clients() {
	m.listen = listenOf(m.files[0])
	passwords, certificates := false, false
	for _, f := range m.files[1:] {
		other := listenOf(f)
		passwords = passwords || other.password != m.listen.password
		other.password = m.listen.password
		certificates = certificates || other != m.listen
	}
	first := printable(m.files[0].Name)
	switch {
	case passwords && m.listen.password == "":
		m.ask("listen_password: not all files have a password for Sentinel's clients, and Redkeep one on all nodes, or none as in " + first + ": then everybody is answered, SENTINEL FAILOVER too")
	case passwords:
		m.ask("listen_password: the files have different ones for Sentinel's clients, and Redkeep one on all nodes: that of " + first + " was taken")
	case m.listen.password == "" && slices.ContainsFunc(m.files, hasUsers):
		m.ask("listen_password: Sentinel's clients log in as a user, and these are not taken over; write one, or everybody is answered, SENTINEL FAILOVER too")
	}
	if certificates {
		m.ask("listen_tls: the files have different ports with TLS, or different certificates, and Redkeep one file on all nodes: those of " + first + " were taken")
	}
	if m.listen.tls == 0 {
		return
	}
	m.ask("listen_tls: its files must be readable by the agent's user, and the key by nobody else")
	if word(m.files[0], "tls-key-file-pass") != "" {
		m.ask("listen_tls: the key has a password; the agent needs one without")
	}
	if m.listen.mutual && m.listen.ca == "" {
		m.ask("listen_tls: no file has tls-ca-cert-file; name the file that the clients' certificates are checked with, as ca")
	}
}

// hasUsers reports whether somebody has to log in that no requirepass is for. A Sentinel that rewrites its file writes users down, too, who need not.
func hasUsers(f *sentinelconf.File) bool {
	return slices.ContainsFunc(f.Lines, func(l sentinelconf.Line) bool {
		switch l.Directive() {
		case "aclfile":
			return word(f, "aclfile") != ""
		case "user":
			return slices.ContainsFunc(l.Words[min(2, len(l.Words)):], func(rule string) bool {
				return strings.HasPrefix(rule, ">") || strings.HasPrefix(rule, "#")
			})
		}
		return false
	})
}

// writeListen writes where Sentinel's clients are served, and how.
func (m *maker) writeListen(line func(string, ...any)) {
	if m.listenPort != usualListenPort {
		line("listen_port: %d", m.listenPort)
	}
	switch l := m.listen; {
	case l.password == "":
	case writable(l.password):
		m.secrets = true
		line("listen_password: %s", quote(l.password))
	default:
		line("listen_password_file: EDIT")
		m.ask("listen_password_file: the password can't stand in the file, it is not text of one line")
	}
	if l := m.listen; l.tls != 0 {
		text := fmt.Sprintf("port: %d, cert: %s, key: %s", l.tls, orEdit(l.cert), orEdit(l.key))
		if l.mutual {
			text += ", ca: " + orEdit(l.ca)
		}
		line("listen_tls: {%s}", text)
	}
}

// orEdit writes a path, or that there is none yet.
func orEdit(path string) string {
	if path == "" {
		return "EDIT"
	}
	return quote(path)
}

// listening says what became of a line about Sentinel's clients; false for any other line.
func (m *maker) listening(f *sentinelconf.File, name string) (fate Fate, why string, ok bool) {
	own := listenOf(f)
	switch name {
	case "requirepass":
		switch {
		case own.password == "":
			return Dropped, ": it is empty, so that clients need none", true
		case own.password == m.listen.password:
			return Took, " -> listen_password", true
		case m.listen.password == "":
			return Dropped, ": " + printable(m.files[0].Name) + " has none, and counts", true
		}
		return Dropped, ": another one counts, in " + printable(m.files[0].Name), true
	case "user", "aclfile", "acllog-max-len", "acl-pubsub-default":
		return Dropped, ": the port for Sentinel's clients has one user, default, and for it listen_password; look what yours log in with", true
	case "tls-port":
		switch {
		case own.tls == 0:
			return Dropped, ": without it, clients are served without TLS", true
		case own.tls == m.listen.tls:
			return Took, fmt.Sprintf(" -> listen_tls, port %d", own.tls), true
		}
		return Dropped, ": another file counts, " + printable(m.files[0].Name), true
	case "tls-auth-clients":
		switch {
		case m.listen.tls == 0:
		case own.tls == 0 || own.mutual != m.listen.mutual:
			return Dropped, ": another file counts, " + printable(m.files[0].Name), true
		case own.mutual:
			return Took, " -> listen_tls.ca", true
		default:
			return Took, " -> listen_tls, without ca: clients need no certificate", true
		}
	}
	return "", "", false
}
