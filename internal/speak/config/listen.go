package config

import (
	"fmt"
	"slices"
)

// ListenTLS is how clients of Sentinel are served with TLS. The zero value is that they are not.
type ListenTLS struct {
	// Port is the TCP port for it, beside ListenPort or in its place; 0 for none.
	Port uint16
	// Cert and Key are the paths of what clients are shown.
	Cert, Key string
	// CA is the path of the certificates that the clients' own are checked against; empty where clients need none.
	CA string
}

// TellPort is the port at which clients are told to find the other agents: the plain one where there is one, but for servers that all
// replicate over TLS that with TLS, as redis-sentinel announces itself.
func (c *Config) TellPort() uint16 {
	overTLS := !slices.ContainsFunc(c.Groups, func(g Group) bool { return !g.Server.TLS.Replication })
	if t := c.ListenTLS.Port; t != 0 && (overTLS || c.ListenPort == 0) {
		return t
	}
	return c.ListenPort
}

// listenPort reads the plain port, 0 for none.
func (r *reader) listenPort(into *uint16) field {
	port := r.port(into, "listen_port")
	return field{port.name, func(v value) {
		if v.text == "0" {
			*into = 0
			return
		}
		port.read(v)
	}}
}

// listenTLS reads how clients of Sentinel are served with TLS. Its keys are those of a server's tls, as far as they mean something here.
func (r *reader) listenTLS(into *ListenTLS, v value) {
	const of = "listen_tls"
	own := identity{reader: r}
	seen := r.fields(v, of, []field{
		r.port(&into.Port, "port"),
		{"cert", func(v value) { own.readCert(&into.Cert, v) }},
		{"key", func(v value) { own.readKey(&into.Key, v) }},
		{"ca", func(v value) { into.CA = r.authority(v) }},
	})
	if v.kind != kindMap {
		return
	}
	for _, need := range []struct{ key, do string }{
		{"port", "add port: 26381, or another that is free on all nodes"},
		{"cert", "add cert: sentinel.pem, what clients are shown"},
		{"key", "add key: sentinel.key, the private key of cert"},
	} {
		if _, given := seen[need.key]; !given {
			r.wrong(v.place, need.do, "%s has no %s", of, need.key)
		}
	}
	own.match(of)
}

// ownPorts checks the agents' own ports against each other.
func (r *reader) ownPorts(c *Config, seen map[string]place) {
	tls, hasTLS := seen["listen_tls"]
	if c.ListenPort == 0 && !hasTLS {
		r.wrong(seen["listen_port"], "choose 1 to 65535, or add listen_tls", "listen_port is 0 and there is no listen_tls: nobody could ask for the master")
	}
	if at, both := seen["peer_port"]; c.ListenPort == c.PeerPort {
		if !both {
			at = seen["listen_port"]
		}
		r.wrong(at, "choose two", "listen_port and peer_port are both %d", c.PeerPort)
	}
	if c.ListenTLS.Port == 0 {
		return // there is none, or what is wrong with it has been said
	}
	if c.ListenTLS.Port == c.ListenPort {
		r.wrong(tls, "choose two, or set listen_port: 0 for TLS alone", "listen_port and the port of listen_tls are both %d", c.ListenPort)
	}
	if c.ListenTLS.Port == c.PeerPort {
		r.wrong(tls, "choose two", "peer_port and the port of listen_tls are both %d", c.PeerPort)
	}
}

// isOwn reports whether a port is one of the agents' own.
func (c *Config) isOwn(port uint16) bool {
	return slices.Contains([]uint16{c.ListenPort, c.ListenTLS.Port, c.PeerPort}, port)
}

// The lines of a file in which clients of Sentinel need nothing. Digests are older than these lines, and go without them.
const (
	noListenTLS      = "listen_tls: none"
	noListenPassword = "listen_password: none"
)

// listening says what clients of Sentinel need; of the password only that there is one.
func (c *Config) listening() Settings {
	lines := Settings{noListenTLS, noListenPassword}
	if t := c.ListenTLS; t.Port != 0 {
		lines[0] = fmt.Sprintf("listen_tls: %d", t.Port)
		if t.CA != "" {
			lines[0] += ", for clients with a certificate"
		}
	}
	if !c.ListenPassword.Empty() {
		lines[1] = "listen_password: given"
	}
	return lines
}
