package redis

import (
	"crypto/tls"

	"redkeep/internal/act/redis/certfile"
)

// TLS says how the server is reached over TLS.
type TLS struct {
	// CA, Cert and Key are the paths of files in PEM form. They are read again for the next connection when they have
	// changed. Cert and Key are empty where the server asks for no certificate.
	CA, Cert, Key string
	// Names are whom the server's certificate may be for; one suffices. Without any its chain alone is checked.
	Names []string
}

// certificates are what the files had when they were last good. The zero value has read nothing.
type certificates struct {
	roots certfile.Roots
	own   certfile.Pair
}

// config returns what the next connection is made with. New files that are of no use are remarked on, and those before them
// go on.
func (c *certificates) config(t TLS, remark func(string)) (*tls.Config, error) {
	roots, err := c.roots.Newest(t.CA, remark)
	if err != nil {
		return nil, err
	}
	own := &tls.Certificate{} // none
	if t.Cert != "" {
		if own, err = c.own.Newest(t.Cert, t.Key, remark); err != nil {
			return nil, err
		}
	}
	config := &tls.Config{
		MinVersion:           tls.VersionTLS12,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return own, nil },
		// The library knows one name; verify checks the chain, and for the name takes one of several.
		InsecureSkipVerify: true, //nolint:gosec // see above
		VerifyConnection:   func(s tls.ConnectionState) error { return verify(s, roots, t.Names) },
	}
	if len(t.Names) > 0 {
		config.ServerName = t.Names[0]
	}
	return config, nil
}
