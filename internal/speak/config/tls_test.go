package config

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io/fs"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// pair makes a certificate that signs itself, and its key.
func pair(t *testing.T) (cert, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
}

// TestTLSForms reads the forms of redis with TLS, with files beside the configuration and elsewhere.
func TestTLSForms(t *testing.T) {
	cert, key := pair(t)
	_, otherKey := pair(t)
	files := map[string][]byte{
		"/etc/redkeep/ca.pem": cert, "/etc/redkeep/agent.pem": cert, "/etc/redkeep/agent.key": key,
		"/etc/ssl/agent.key": key, "/etc/redkeep/other.key": otherKey,
	}
	read := func(redis string, mode fs.FileMode) (*Config, error) {
		text := "secret: a-shared-secret\nnodes: {a: 10.0.0.1, b: 10.0.0.2, c: 10.0.0.3}\ngroups: {g: {redis: " + redis + "}}\n"
		return Parse("/etc/redkeep/redkeep.yaml", 0o600, []byte(text), func(name string) ([]byte, fs.FileMode, error) {
			if text, ok := files[name]; ok {
				return text, mode, nil
			}
			return nil, 0, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		})
	}
	for redis, want := range map[string]string{
		"{tls: {port: 6380, ca: ca.pem}}":                                         "127.0.0.1:6380 [6380] 6380 {6380 true /etc/redkeep/ca.pem   } [a 10.0.0.1]",
		"{port: 0, tls: {port: 6380, ca: ca.pem, replication: yes}}":              "127.0.0.1:6380 [6380] 6380 {6380 true /etc/redkeep/ca.pem   } [a 10.0.0.1]",
		"{port: 6379, tls: {port: 6380, ca: ca.pem, server_name: db.example}}":    "127.0.0.1:6380 [6379 6380] 6379 {6380 false /etc/redkeep/ca.pem   db.example} [db.example]",
		"{port: 6379, address: node, tls: {port: 6380, ca: /etc/redkeep/ca.pem}}": "10.0.0.1:6380 [6379 6380] 6379 {6380 false /etc/redkeep/ca.pem   } [a 10.0.0.1]",
		`{tls: {port: 6380, ca: ca.pem, server_name: "*"}}`:                       "127.0.0.1:6380 [6380] 6380 {6380 true /etc/redkeep/ca.pem   *} []",
		"{tls: {port: 6380, ca: ca.pem, cert: agent.pem, key: /etc/ssl/agent.key}}": "127.0.0.1:6380 [6380] 6380 " +
			"{6380 true /etc/redkeep/ca.pem /etc/redkeep/agent.pem /etc/ssl/agent.key } [a 10.0.0.1]",
	} {
		c, err := read(redis, 0o600)
		if err != nil {
			t.Errorf("%s: %v", redis, err)
			continue
		}
		s := c.Groups[0].Server
		got := fmt.Sprintf("%v %v %d %v %v", s.Addr(c.Nodes[0]), s.Ports(), s.LinkPort(), s.TLS, s.TLS.Names(c.Nodes[0]))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", redis, diff)
		}
	}
	for redis, want := range map[string]string{
		"{port: 1, tls: {port: 2, ca: ca.pem, cert: agent.pem, key: other.key}}": "are no pair: private key does not match public key; name the private key",
		"{tls: {port: 6380, ca: ca.pem, replication: no}}":                       "3:65: redis of group g has no plain port to replicate over, so that replication can't be no; leave it out",
	} {
		if _, err := read(redis, 0o600); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", redis, err)
		}
	}
	_, err := read("{tls: {port: 6380, ca: ca.pem, cert: agent.pem, key: agent.key}}", 0o644)
	want := "/etc/redkeep/redkeep.yaml:3:74: key may be read by others: mode 0644; run: chmod 600 /etc/redkeep/agent.key"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}
