package config

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"
)

// TestListenForms reads the ways in which Sentinel's clients are served, and where they are told to find the other agents.
func TestListenForms(t *testing.T) {
	cert, key := pair(t)
	_, otherKey := pair(t)
	files := map[string][]byte{"/etc/redkeep/s.pem": cert, "/etc/redkeep/s.key": key, "/etc/redkeep/ca.pem": cert, "/etc/redkeep/other.key": otherKey}
	const plain, secured = "6379", "{tls: {port: 6380, ca: ca.pem}}"
	for _, c := range []struct{ listen, redis, want string }{
		{"", plain, "26379 { } none 26379"},
		{"listen_tls: {port: 7, cert: s.pem, key: s.key}", plain, "26379 {/etc/redkeep/s.pem /etc/redkeep/s.key} 7 26379"},
		{"listen_tls: {port: 7, cert: s.pem, key: s.key}", secured, "26379 {/etc/redkeep/s.pem /etc/redkeep/s.key} 7 7"},
		{"listen_tls: {port: 26379, cert: s.pem, key: s.key, ca: ca.pem}\nlisten_port: 0", plain,
			"0 {/etc/redkeep/s.pem /etc/redkeep/s.key} 26379, clients' /etc/redkeep/ca.pem 26379"},
		{"listen_tls: {port: 7, cert: s.pem, key: other.key}", plain, "are no pair: private key does not match public key; name the private key"},
		{"listen_tls: {port: seven, cert: s.pem, key: s.key}", plain, "3:20: port must be a port, not a text"},
		{"listen_port: -1", plain, "3:14: listen_port is not a port: -1; choose 1 to 65535"},
	} {
		text := "secret: a-shared-secret\nnodes: {a: 10.0.0.1, b: 10.0.0.2, c: 10.0.0.3}\n" + c.listen + "\ngroups: {g: {redis: " + c.redis + "}}\n"
		got, err := Parse("/etc/redkeep/redkeep.yaml", 0o600, []byte(text), func(name string) ([]byte, fs.FileMode, error) {
			if text, ok := files[name]; ok {
				return text, 0o600, nil
			}
			return nil, 0, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		})
		if err != nil {
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v", c.listen, err)
			}
			continue
		}
		said, l := "none", got.ListenTLS
		if l.Port != 0 {
			said = fmt.Sprint(l.Port)
		}
		if l.CA != "" {
			said += ", clients' " + l.CA
		}
		if said := fmt.Sprintf("%d {%s %s} %s %d", got.ListenPort, l.Cert, l.Key, said, got.TellPort()); said != c.want {
			t.Errorf("%s, %s: %s", c.listen, c.redis, said)
		}
	}
}
