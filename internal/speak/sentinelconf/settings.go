package sentinelconf

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"redkeep/internal/syntax"
	"redkeep/internal/words"
)

// Settings are the values of the directives that are not sentinel's own, as far as a Sentinel has a use for them. All are
// there: what the file doesn't say is as Redis Sentinel has it.
type Settings struct {
	// Port and TLSPort are 0 where nothing listens.
	Port, TLSPort int
	// Bind are the addresses to listen on, and BindSource the one to connect from, "" for any. An address that begins
	// with - may be missing on this host; * is all of IPv4 and ::* all of IPv6.
	Bind       []string
	BindSource string
	// ProtectedMode refuses others than this host while there is no password.
	ProtectedMode bool
	TCPBacklog    int
	// TCPKeepAlive and Timeout are 0 for none.
	TCPKeepAlive, Timeout time.Duration
	MaxClients            int
	// Listeners is what may wait for a client that has subscribed, by client-output-buffer-limit pubsub.
	Listeners BufferLimit
	// UnixSocket is "" for none; UnixSocketPerm is 0 for what the umask leaves.
	UnixSocket     string
	UnixSocketPerm uint32

	// Dir is the working directory, absolute. Other paths may be relative to it.
	Dir string
	// LogFile is "" for standard output, PidFile "" for none, or for the usual one of a daemon.
	LogFile, PidFile string
	// LogLevel is debug, verbose, notice or warning; Supervised no, systemd, upstart or auto.
	LogLevel, Supervised        string
	Daemonize                   bool
	SyslogEnabled               bool
	SyslogIdent, SyslogFacility string
	HZ                          int
	ACLFile                     string
	ACLLogMaxLen                int
	// NewUsersHaveAllChannels is acl-pubsub-default.
	NewUsersHaveAllChannels bool
	// RequirePass is the default user's password, and the login at other Sentinels where SentinelPass is empty.
	RequirePass words.Secret
	TLS         TLS
	// Renames are commands of this Sentinel's own port, in the order of their lines; one without a name is taken away.
	Renames []Rename

	// texts are what stands after each directive of the table when the file is written. It is a pointer since some are
	// passwords, which printing the settings would else show.
	texts *[len(directives)]string
}

// TLS is how this Sentinel speaks TLS. Paths are "" where there is none.
type TLS struct {
	// Replication makes all its own connections TLS.
	Replication                   bool
	CACertFile, CACertDir         string
	CertFile, KeyFile             string
	KeyFilePass                   words.Secret
	ClientCertFile, ClientKeyFile string
	ClientKeyFilePass             words.Secret
	// Ciphers are of TLS 1.2, and CipherSuites of 1.3, as OpenSSL has them.
	Protocols, Ciphers, CipherSuites string
	SessionCaching                   bool
	// AuthClients is yes, no or optional.
	AuthClients string
}

// BufferLimit is what may wait for a client: Hard bytes, or Soft ones for Time. Each is 0 for no limit.
type BufferLimit struct {
	Hard, Soft int64
	Time       time.Duration
}

// newSettings are those of an empty file.
func newSettings(dir string) *Settings {
	s := &Settings{texts: new([len(directives)]string)}
	for i, d := range directives {
		s.texts[i] = d.usual
	}
	s.texts[directiveAt("port")], s.texts[directiveAt("protected-mode")] = "26379", "no"
	s.texts[directiveAt("dir")] = syntax.Quote(dir)
	s.finish()
	return s
}

// IdleTLS returns the directives of TLS that the file sets, other than the usual, and that there is nothing for here.
func (s *Settings) IdleTLS() (names []string) {
	for _, name := range []string{"tls-dh-params-file", "tls-prefer-server-ciphers", "tls-session-cache-size", "tls-session-cache-timeout"} {
		if at := directiveAt(name); s.texts[at] != directives[at].usual {
			names = append(names, name)
		}
	}
	return names
}

// SetPidFile takes the file that a daemon writes its number to, which it then writes to its configuration too.
func (s *Settings) SetPidFile(path string) {
	s.texts[directiveAt("pidfile")] = syntax.Quote(path)
	s.PidFile = path
}

// WithLogLevel returns a copy that has another loglevel, one of debug, verbose, notice and warning, as CONFIG SET of Valkey's
// Sentinel leaves it. The settings themselves stay, since a save may be printing them.
func (s *Settings) WithLogLevel(word string) *Settings {
	changed, texts := *s, *s.texts
	texts[directiveAt("loglevel")] = word
	changed.texts, changed.LogLevel = &texts, word
	return &changed
}

// value returns a directive's one value.
func (s *Settings) value(name string) string {
	words, _ := syntax.Split(s.texts[directiveAt(name)])
	if len(words) == 0 {
		return ""
	}
	return words[0]
}

// number returns a directive's number, or the most that an int of 32 bits holds.
func (s *Settings) number(name string) int {
	const most = 1<<31 - 1
	n, err := strconv.ParseInt(s.value(name), 10, 64)
	if err != nil {
		return 0
	}
	return int(min(n, most))
}

// bufferLimit returns the limit of a class of clients.
func (s *Settings) bufferLimit(class string) (l BufferLimit) {
	for line := range strings.Lines(s.texts[directiveAt("client-output-buffer-limit")]) {
		words := strings.Fields(line)
		if words[0] != class {
			continue
		}
		l.Hard, _ = bytesOf(words[1])
		l.Soft, _ = bytesOf(words[2])
		seconds, _ := strconv.Atoi(words[3])
		l.Time = time.Duration(seconds) * time.Second
	}
	return l
}

// finish makes values of the texts.
func (s *Settings) finish() {
	const leastHZ, mostHZ = 1, 500
	s.HZ = min(max(s.number("hz"), leastHZ), mostHZ)
	s.texts[directiveAt("hz")] = strconv.Itoa(s.HZ)
	yes := func(name string) bool { return s.value(name) == "yes" }
	seconds := func(name string) time.Duration { return time.Duration(s.number(name)) * time.Second }

	s.Port, s.TLSPort, s.BindSource = s.number("port"), s.number("tls-port"), s.value("bind-source-addr")
	s.Bind, _ = syntax.Split(s.texts[directiveAt("bind")])
	if len(s.Bind) == 0 {
		s.Bind = []string{"*", "-::*"}
	}
	s.Bind = slices.DeleteFunc(s.Bind, func(a string) bool { return a == "" })
	s.ProtectedMode = yes("protected-mode")
	s.TCPBacklog, s.MaxClients = s.number("tcp-backlog"), s.number("maxclients")
	s.TCPKeepAlive, s.Timeout = seconds("tcp-keepalive"), seconds("timeout")
	s.Listeners = s.bufferLimit("pubsub")
	s.UnixSocket = s.value("unixsocket")
	perm, _ := strconv.ParseUint(s.value("unixsocketperm"), 8, 32)
	s.UnixSocketPerm = uint32(perm)

	s.Dir, s.LogFile, s.PidFile = s.value("dir"), s.value("logfile"), s.value("pidfile")
	s.LogLevel, s.Supervised = s.value("loglevel"), s.value("supervised")
	s.Daemonize = yes("daemonize")
	s.SyslogEnabled, s.SyslogIdent, s.SyslogFacility = yes("syslog-enabled"), s.value("syslog-ident"), s.value("syslog-facility")
	s.ACLFile, s.ACLLogMaxLen = s.value("aclfile"), s.number("acllog-max-len")
	s.NewUsersHaveAllChannels = s.value("acl-pubsub-default") == "allchannels"
	s.RequirePass = words.NewSecret(s.value("requirepass"))
	s.TLS = TLS{
		Replication: yes("tls-replication"), CACertFile: s.value("tls-ca-cert-file"), CACertDir: s.value("tls-ca-cert-dir"),
		CertFile: s.value("tls-cert-file"), KeyFile: s.value("tls-key-file"), KeyFilePass: words.NewSecret(s.value("tls-key-file-pass")),
		ClientCertFile: s.value("tls-client-cert-file"), ClientKeyFile: s.value("tls-client-key-file"),
		ClientKeyFilePass: words.NewSecret(s.value("tls-client-key-file-pass")),
		Protocols:         s.value("tls-protocols"), Ciphers: s.value("tls-ciphers"), CipherSuites: s.value("tls-ciphersuites"),
		SessionCaching: yes("tls-session-caching"), AuthClients: s.value("tls-auth-clients"),
	}
}

// ownCommands are those of a Sentinel's own port, all that can be renamed there.
const ownCommands = " acl auth client command hello info ping psubscribe publish punsubscribe role sentinel shutdown subscribe unsubscribe "

// rename takes another name for one of the commands of this Sentinel's own port.
func (s *Settings) rename(command, name string) refusal {
	command, name = strings.ToLower(command), strings.ToLower(name)
	now, ok := s.commandNow(command)
	if !ok {
		return "No such command in rename-command"
	}
	if _, taken := s.commandNow(name); taken && name != command {
		return "Target command name already exists"
	}
	s.Renames = append(s.Renames, Rename{strings.ToUpper(now), name})
	return ""
}

// commandNow returns the command that a name stands for after the renames so far.
func (s *Settings) commandNow(name string) (string, bool) {
	if name == "" || strings.Contains(name, " ") {
		return "", false
	}
	for _, r := range slices.Backward(s.Renames) {
		if r.Name == name {
			return strings.ToLower(r.Command), true
		}
		if strings.EqualFold(r.Command, name) {
			return "", false
		}
	}
	return name, strings.Contains(ownCommands, " "+name+" ")
}
