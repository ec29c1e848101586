package config

import (
	"crypto/tls"
	"crypto/x509"
	"io/fs"
	"net/netip"
	"path"
	"strings"
)

// TLS is how a group's servers use TLS. The zero value is servers without.
type TLS struct {
	// Port is the TCP port for TLS, on every data node; 0 for none.
	Port uint16
	// Replication says that the servers follow each other over TLS, as their own tls-replication has to.
	Replication bool
	// CA is the path of the certificates that the server's own is checked against; with one the agent speaks TLS, without
	// one it uses the plain port.
	CA string
	// Cert and Key are the paths of what the agent shows the server; empty where the server asks for nothing.
	Cert, Key string
	// ServerName is whom the server's certificate must be for; empty for the node's name or its address, AnyName for nobody
	// in particular.
	ServerName string
}

// AnyName is the server_name by which a certificate's chain is checked and its name is not, as servers do among themselves.
const AnyName = "*"

// Speaks reports whether the agent reaches its server over TLS.
func (t TLS) Speaks() bool { return t.CA != "" }

// Names are those that the certificate of node self's server may be for; one suffices. None means that any is good.
func (t TLS) Names(self Node) []string {
	switch t.ServerName {
	case "":
		return []string{string(self.Name), self.Addr.String()}
	case AnyName:
		return nil
	default:
		return []string{t.ServerName}
	}
}

// tls reads a port alone, or a map with a port in it, and notes where they stand.
func (r *reader) tls(into *TLS, v value, of string, at *places) {
	of, at.tls = "tls in "+of, v.place
	if v.kind != kindMap {
		r.port(&into.Port, of).read(v)
		return
	}
	port := r.port(&into.Port, "tls.port")
	own := identity{reader: r}
	seen := r.fields(v, of, []field{
		{"port", func(v value) { at.tls = v.place; port.read(v) }},
		{"ca", func(v value) { into.CA = r.authority(v) }},
		{"cert", func(v value) { own.readCert(&into.Cert, v) }},
		{"key", func(v value) { own.readKey(&into.Key, v) }},
		{"server_name", func(v value) { into.ServerName = r.serverName(v, of) }},
		{"replication", func(v value) { at.replication = v.place; r.yes(&into.Replication, v, "replication") }},
	})
	if _, given := seen["port"]; !given {
		r.wrong(v.place, "add port: 6380, the server's tls-port", "%s has no port", of)
	}
	r.together(seen, of)
	own.match(of)
}

// identity is a certificate and its key while they are read.
type identity struct {
	*reader
	cert, key []byte
	keyAt     place
}

func (i *identity) readCert(into *string, v value) { *into, i.cert, _ = i.public(v, "cert") }

func (i *identity) readKey(into *string, v value) {
	i.keyAt = v.place
	*into, i.key, _ = i.private(v, "key")
}

// match refuses a key that is not the certificate's, where both could be read.
func (i *identity) match(of string) {
	if i.cert == nil || i.key == nil {
		return
	}
	if _, err := tls.X509KeyPair(i.cert, i.key); err != nil {
		i.wrong(i.keyAt, "name the private key that was made with the certificate, both in PEM form",
			"cert and key of %s are no pair: %s", of, strings.TrimPrefix(err.Error(), "tls: "))
	}
}

// together refuses what has no effect without something else.
func (r *reader) together(seen map[string]place, of string) {
	_, ca := seen["ca"]
	cert, hasCert := seen["cert"]
	key, hasKey := seen["key"]
	name, hasName := seen["server_name"]
	switch {
	case hasCert && !hasKey:
		r.wrong(cert, "add key", "%s has a cert and no key", of)
	case hasKey && !hasCert:
		r.wrong(key, "add cert", "%s has a key and no cert", of)
	case hasCert && !ca:
		r.wrong(cert, "add ca", "%s has a cert and no ca to check the server with", of)
	case hasName && !ca:
		r.wrong(name, "add ca", "%s has a server_name and no ca to check the server with", of)
	}
}

// plainAndTLS compares the plain port with TLS. Servers without a plain port follow each other over TLS, whatever they
// would do otherwise.
func (r *reader) plainAndTLS(s *Server, at places, of string, plain bool) {
	switch {
	case at.tls == place{}:
		r.wrong(at.port, "choose 1 to 65535, or add tls", "%s has port 0 and no tls", of)
	case s.TLS.Port == 0: // what is wrong with it has been said
	case s.Port == s.TLS.Port:
		r.wrong(at.tls, "leave port out where the server's own port is 0", "port and tls.port of %s are both %d", of, s.Port)
	case plain:
	case !s.TLS.Speaks():
		r.wrong(at.tls, "add ca: ca.pem under tls", "%s has no plain port, and no ca for the one with TLS", of)
	case at.replication != place{} && !s.TLS.Replication:
		r.wrong(at.replication, "leave it out", "%s has no plain port to replicate over, so that replication can't be no", of)
	default:
		s.TLS.Replication = true
	}
}

// public reads the path of a file that everybody may read, and the file.
func (r *reader) public(v value, name string) (file string, text []byte, ok bool) {
	file, text, _, ok = r.named(v, name, "name a file in PEM form that the agent's user can read")
	return file, text, ok
}

// private reads the path of a file that nobody else may read, and the file.
func (r *reader) private(v value, name string) (file string, text []byte, ok bool) {
	file, text, mode, ok := r.named(v, name, "create the file, readable by the agent's user alone")
	if ok && mode.Perm()&others != 0 {
		r.wrong(v.place, "run: chmod 600 "+file, "%s may be read by others: mode %04o", name, mode.Perm())
		return "", nil, false
	}
	return file, text, ok
}

// named reads a file whose path is relative to the configuration's.
func (r *reader) named(v value, name, do string) (file string, text []byte, mode fs.FileMode, ok bool) {
	if file, ok = r.word(v, name); !ok {
		return "", nil, 0, false
	}
	if !path.IsAbs(file) {
		file = path.Join(path.Dir(r.file), file)
	}
	text, mode, err := r.readFile(file)
	if err != nil {
		r.wrong(v.place, do, "%s cannot be read: %v", name, cause(err))
		return "", nil, 0, false
	}
	return file, text, mode, true
}

// authority reads the certificates that sign the server's.
func (r *reader) authority(v value) string {
	file, text, ok := r.public(v, "ca")
	if ok && !x509.NewCertPool().AppendCertsFromPEM(text) {
		r.wrong(v.place, "name a file in PEM form, with -----BEGIN CERTIFICATE----- in it", "ca has no certificate in it")
	}
	return file
}

// serverName reads the name in the server's certificate.
func (r *reader) serverName(v value, of string) string {
	const most = 253
	text, ok := r.word(v, "server_name")
	if !ok {
		return ""
	}
	if text == AnyName {
		r.warn(v.place, "name it, or leave server_name out for the node's name and address", "%s checks the certificate's chain and not its name", of)
		return text
	}
	_, err := netip.ParseAddr(text)
	bad := text == "" || len(text) > most
	for _, c := range text {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		bad = bad || !letter && c != '-' && c != '.' && c != '_'
	}
	if bad && err != nil {
		r.wrong(v.place, `write a name or an address that is in the certificate, or "*" for any`, "server_name cannot be %q", shown(text))
		return ""
	}
	return text
}

// yes reads a choice, in YAML's words or in those of the server's own file.
func (r *reader) yes(into *bool, v value, name string) {
	text, ok := r.word(v, name)
	if !ok {
		return
	}
	switch text {
	case "yes", "true":
		*into = true
	case "no", "false":
		*into = false
	default:
		r.wrong(v.place, "write yes or no", "%s cannot be %q", name, shown(text))
	}
}
