package certfile

import (
	"crypto/x509"
	"fmt"
)

// Roots are the certificates that others' are checked against. The zero value has read nothing; it is for any goroutine.
type Roots struct{ kept kept[*x509.CertPool] }

// Newest returns what the file has now, in PEM form, or what it had when it was last good: remark is then told why, at every call. It
// fails only where it never was good.
func (r *Roots) Newest(path string, remark func(string)) (*x509.CertPool, error) {
	return r.kept.newest(remark, func(bool) (*x509.CertPool, error) { return readRoots(path) }, path)
}

func readRoots(path string) (*x509.CertPool, error) {
	text, _, err := readPEM(path)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("read %s: no certificate is in it; write it in PEM form", path)
	}
	return pool, nil
}
