package migration

import (
	"path"
	"slices"

	"redkeep/internal/speak/sentinelconf"
)

// tls is how the servers are reached, where that is over TLS alone: Sentinel knows one port of a server.
type tls struct{ ca, cert, key string }

// tlsOf reads it, or returns nil.
func (m *maker) tlsOf(f *sentinelconf.File) *tls {
	if word(f, "tls-replication") != "yes" {
		return nil
	}
	t := &tls{ca: absolute(f, word(f, "tls-ca-cert-file"))}
	for _, kind := range []string{"tls-client-", "tls-"} {
		if cert, key := word(f, kind+"cert-file"), word(f, kind+"key-file"); cert != "" && key != "" {
			t.cert, t.key = absolute(f, cert), absolute(f, key)
			break
		}
	}
	m.ask("tls: the servers' certificates must be for the nodes' names or addresses, which Sentinel does not check (or write server_name), " +
		"and the files must be readable by the agent's user")
	if t.ca == "" {
		m.ask("tls: no file has tls-ca-cert-file; name the file that the servers' certificates are checked with, as ca")
	}
	if word(f, "tls-key-file-pass") != "" || word(f, "tls-client-key-file-pass") != "" {
		m.ask("tls: the key has a password; the agent needs one without")
	}
	return t
}

// usesOf are the places where the path of a certificate or a key stands in the result.
func (m *maker) usesOf(path string) (places []string) {
	if path == "" {
		return nil
	}
	if m.tls != nil && slices.Contains([]string{m.tls.ca, m.tls.cert, m.tls.key}, path) {
		places = append(places, "groups.*.redis.tls")
	}
	if slices.Contains([]string{m.listen.ca, m.listen.cert, m.listen.key}, path) {
		places = append(places, "listen_tls")
	}
	return places
}

// word returns a directive's only word, "" where there is none.
func word(f *sentinelconf.File, directive string) string {
	if words := f.Last(directive); len(words) == 1 {
		return words[0]
	}
	return ""
}

// absolute puts the directory before a path that starts from it.
func absolute(f *sentinelconf.File, name string) string {
	if dir := word(f, "dir"); name != "" && !path.IsAbs(name) && path.IsAbs(dir) {
		return path.Join(dir, name)
	}
	return name
}
