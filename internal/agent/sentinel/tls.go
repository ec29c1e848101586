package sentinel

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"redkeep/internal/speak/logline"
	"redkeep/internal/speak/sentinelconf"
	"redkeep/internal/words"
)

// Redis proves of a certificate that the configured authority signed it, and not whose name is in it; so does this.

// dialTLS is how others are connected to, nil for without TLS.
func dialTLS(c *sentinelconf.Conf) (*tls.Config, error) {
	if !c.TLS.Replication {
		return nil, nil
	}
	t := c.TLS
	cert, key, pass := t.CertFile, t.KeyFile, t.KeyFilePass
	if t.ClientCertFile != "" {
		cert, key, pass = t.ClientCertFile, t.ClientKeyFile, t.ClientKeyFilePass
	}
	secure, err := commonTLS(t, cert, key, pass)
	if err != nil {
		return nil, err
	}
	roots := secure.RootCAs
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
func listenTLS(c *sentinelconf.Conf) (*tls.Config, error) {
	secure, err := commonTLS(c.TLS, c.TLS.CertFile, c.TLS.KeyFile, c.TLS.KeyFilePass)
	if err != nil {
		return nil, err
	}
	if len(secure.Certificates) == 0 {
		return nil, fmt.Errorf("listen with TLS: there is no certificate; set tls-cert-file and tls-key-file")
	}
	secure.ClientCAs = secure.RootCAs
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

func commonTLS(t sentinelconf.TLS, cert, key string, pass words.Secret) (*tls.Config, error) {
	secure := &tls.Config{RootCAs: x509.NewCertPool()}
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
	if err := addAuthorities(secure.RootCAs, t); err != nil {
		return nil, err
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

// tellIdle says which of the file's directives of TLS change nothing.
func (p *process) tellIdle() {
	if p.conf.TLSPort == 0 && !p.conf.TLS.Replication {
		return
	}
	idle := p.conf.IdleTLS()
	if some, err := check13(p.conf.TLS.CipherSuites); some && err == nil {
		idle = append(idle, "tls-ciphersuites")
	}
	if len(idle) > 0 {
		p.log(logline.Notice, "Of no effect here, where Go's own TLS is used: "+strings.Join(idle, ", "))
	}
}

// addAuthorities adds the authority that the file names, and all that are in the directory. In that one anything else may be, too: links to
// certificates that were removed, directories.
func addAuthorities(to *x509.CertPool, t sentinelconf.TLS) error {
	if f := t.CACertFile; f != "" {
		text, err := os.ReadFile(f)
		if err != nil {
			return fmt.Errorf("read authority %s: %w; check tls-ca-cert-file", f, err)
		}
		if !to.AppendCertsFromPEM(text) {
			return fmt.Errorf("read authority %s: there is no certificate in it; check tls-ca-cert-file", f)
		}
	}
	if t.CACertDir == "" {
		return nil
	}
	all, err := os.ReadDir(t.CACertDir)
	if err != nil && t.CACertFile == "" { // without the one of the file there would be none
		return fmt.Errorf("read tls-ca-cert-dir: %w; check it", err)
	}
	for _, entry := range all {
		name := filepath.Join(t.CACertDir, entry.Name())
		if about, err := os.Stat(name); err != nil || !about.Mode().IsRegular() {
			continue
		}
		if text, err := os.ReadFile(name); err == nil {
			to.AppendCertsFromPEM(text)
		}
	}
	return nil
}

// versions are the least and the greatest of those that the file allows; below 1.2 there is none here.
func versions(names []string) (least, most uint16) {
	for _, name := range names {
		v := uint16(0)
		switch strings.ToLower(name) {
		case "tlsv1.2":
			v = tls.VersionTLS12
		case "tlsv1.3":
			v = tls.VersionTLS13
		default:
			continue
		}
		if least == 0 || v < least {
			least = v
		}
		most = max(most, v)
	}
	return least, most
}
