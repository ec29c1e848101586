package stage

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"strconv"
)

// RedisTLS are the choices for a server's TLS. All certificates are files in PEM form.
type RedisTLS struct {
	// Port is where it listens for TLS.
	Port uint16
	// Only leaves the plain port out.
	Only bool
	// Replication has it speak TLS to its master, at the port that it is told.
	Replication bool
	// CA signs what others show. Cert and Key are the server's own.
	CA, Cert, Key string
	// Strangers says that clients need no certificate; otherwise each needs one that CA has signed.
	Strangers bool
}

// lines are the server's configuration, behind the plain one's.
func (t *RedisTLS) lines() []string {
	lines := append([]string{fmt.Sprintf("tls-port %d", t.Port)}, t.files()...)
	if t.Only {
		lines = append(lines, "port 0")
	}
	if t.Replication {
		lines = append(lines, "tls-replication yes")
	}
	if t.Strangers {
		lines = append(lines, "tls-auth-clients no")
	}
	return lines
}

func (t *RedisTLS) files() []string {
	return []string{"tls-ca-cert-file " + t.CA, "tls-cert-file " + t.Cert, "tls-key-file " + t.Key}
}

// ClientTLS reads the files for a client that shows a certificate to servers which ca has signed.
func ClientTLS(ca, cert, key string) (*tls.Config, error) {
	text, err := os.ReadFile(ca)
	if err != nil {
		return nil, fmt.Errorf("read authority: %w", err)
	}
	own, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("read certificate: %w", err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	return &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{own}, MinVersion: tls.VersionTLS12}, nil
}

// port is the one by which the server is reached: the plain one, where it has that.
func (r *Redis) port() uint16 {
	if r.onlyTLS() {
		return r.config.TLS.Port
	}
	return r.config.Port
}

func (r *Redis) onlyTLS() bool { return r.config.TLS != nil && r.config.TLS.Only }

// clientTLS is for a question of the server's own host: it shows the server's own certificate.
func (r *Redis) clientTLS() (*tls.Config, error) {
	t := r.config.TLS
	c, err := ClientTLS(t.CA, t.Cert, t.Key)
	if err != nil {
		return nil, err
	}
	c.ServerName = r.host.Addr().String()
	return c, nil
}

// ReloadTLS has the server read its files again, for the connections to come.
func (r *Redis) ReloadTLS(ctx context.Context) error {
	t := r.config.TLS
	answer, err := r.Do(ctx, "CONFIG", "SET", "tls-ca-cert-file", t.CA, "tls-cert-file", t.Cert, "tls-key-file", t.Key)
	if err == nil && !answer.IsOK() {
		err = fmt.Errorf("it answered %s", strconv.Quote(answer.Text))
	}
	if err != nil {
		return fmt.Errorf("reload certificates of redis on %s: %w", r.host.name, err)
	}
	return nil
}
