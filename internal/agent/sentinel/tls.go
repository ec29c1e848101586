package sentinel

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"

	"redkeep/internal/speak/logline"
	"redkeep/internal/speak/sentinelconf"
	"redkeep/internal/words"
)

// Redis proves of a certificate that the configured authority signed it, and not whose name is in it; so does this.

// prepareTLS reads what both sides need, and says what of the file has no effect.
func (p *process) prepareTLS() error {
	if p.conf.TLSPort == 0 && !p.conf.TLS.Replication {
		return nil
	}
	roots, lacks, err := readAuthorities(p.conf.TLS)
	if err != nil {
		return err
	}
	p.roots = roots
	if p.secure, err = dialTLS(p.conf, roots); err != nil {
		return err
	}
	p.tellIdle()
	if lacks != "" {
		p.log(logline.Warning, "WARNING: "+lacks)
	}
	return nil
}

// dialTLS is how others are connected to, nil for without TLS.
func dialTLS(c *sentinelconf.Conf, roots *x509.CertPool) (*tls.Config, error) {
	if !c.TLS.Replication {
		return nil, nil
	}
	t := c.TLS
	cert, key, pass := t.CertFile, t.KeyFile, t.KeyFilePass
	if t.ClientCertFile != "" {
		cert, key, pass = t.ClientCertFile, t.ClientKeyFile, t.ClientKeyFilePass
	}
	secure, err := commonTLS(t, roots, cert, key, pass)
	if err != nil {
		return nil, err
	}
	secure.InsecureSkipVerify = true // the name only: VerifyConnection proves the rest
	secure.VerifyConnection = func(s tls.ConnectionState) error {
		between := x509.NewCertPool()
		for _, c := range s.PeerCertificates[1:] {
			between.AddCert(c)
		}
		_, err := s.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: between})
		return err
	}
	return secure, nil
}

// listenTLS is how clients connect to the port with TLS.
func listenTLS(c *sentinelconf.Conf, roots *x509.CertPool) (*tls.Config, error) {
	secure, err := commonTLS(c.TLS, roots, c.TLS.CertFile, c.TLS.KeyFile, c.TLS.KeyFilePass)
	if err != nil {
		return nil, err
	}
	if len(secure.Certificates) == 0 {
		return nil, fmt.Errorf("listen with TLS: there is no certificate; set tls-cert-file and tls-key-file")
	}
	secure.ClientCAs = roots
	secure.SessionTicketsDisabled = !c.TLS.SessionCaching
	switch c.TLS.AuthClients {
	case "no":
		secure.ClientAuth = tls.NoClientCert
	case "optional":
		secure.ClientAuth = tls.VerifyClientCertIfGiven
	default:
		secure.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return secure, nil
}

func commonTLS(t sentinelconf.TLS, roots *x509.CertPool, cert, key string, pass words.Secret) (*tls.Config, error) {
	secure := &tls.Config{RootCAs: roots}
	if err := choose(secure, t); err != nil {
		return nil, fmt.Errorf("choose what TLS may use: %w", err)
	}
	if cert != "" {
		pair, err := readPair(cert, key, pass)
		if err != nil {
			return nil, err
		}
		secure.Certificates = []tls.Certificate{pair}
	}
	return secure, nil
}

// choose sets the versions and the ciphers.
func choose(secure *tls.Config, t sentinelconf.TLS) (err error) {
	secure.MinVersion = tls.VersionTLS12
	if p := strings.Fields(t.Protocols); len(p) > 0 {
		if secure.MinVersion, secure.MaxVersion = versions(p); secure.MaxVersion == 0 {
			return errors.New("tls-protocols names none that there is here; name TLSv1.2, TLSv1.3 or both")
		}
	}
	if _, err := check13(t.CipherSuites); err != nil {
		return err
	}
	secure.CipherSuites, err = ciphersOf(t.Ciphers)
	return err
}

// tellIdle says which of the file's directives of TLS change nothing, and which words of tls-protocols.
func (p *process) tellIdle() {
	idle := p.conf.IdleTLS()
	if old := slices.DeleteFunc(strings.Fields(p.conf.TLS.Protocols), func(name string) bool { return version(name) != 0 }); len(old) > 0 {
		idle = append(idle, "tls-protocols "+strings.Join(old, " "))
	}
	if some, _ := check13(p.conf.TLS.CipherSuites); some {
		idle = append(idle, "tls-ciphersuites")
	}
	if len(idle) > 0 {
		p.log(logline.Notice, "Of no effect here, where Go's own TLS is used: "+strings.Join(idle, ", "))
	}
}

// versions are the least and the greatest of those that the file allows.
func versions(names []string) (least, most uint16) {
	for _, name := range names {
		v := version(name)
		if v != 0 && (least == 0 || v < least) {
			least = v
		}
		most = max(most, v)
	}
	return least, most
}

// version is the one of that name, 0 where there is none here, as below 1.2.
func version(name string) uint16 {
	switch strings.ToLower(name) {
	case "tlsv1.2":
		return tls.VersionTLS12
	case "tlsv1.3":
		return tls.VersionTLS13
	default:
		return 0
	}
}
