package certfile

import (
	"crypto/tls"
	"fmt"
	"io/fs"
	"time"
)

// Pair is a certificate with its private key. The zero value has read nothing; it is for any goroutine.
type Pair struct{ kept kept[*tls.Certificate] }

// Newest returns what the two files have now, in PEM form, or what they had when they were last good: remark is then told why, at every
// call. It is the same value as long as the files are the same. It fails only where they never were good.
func (p *Pair) Newest(cert, key string, remark func(string)) (*tls.Certificate, error) {
	read := func(again bool) (*tls.Certificate, error) { return readPair(cert, key, again) }
	return p.kept.newest(remark, read, cert, key)
}

// readPair reads a certificate with its key. One that is not valid now is refused where another is at hand; else who sees it may say so.
func readPair(cert, key string, again bool) (*tls.Certificate, error) {
	certText, _, err := readPEM(cert)
	if err != nil {
		return nil, err
	}
	keyText, mode, err := readPEM(key)
	if err != nil {
		return nil, err
	}
	if others := fs.FileMode(0o077); mode.Perm()&others != 0 {
		return nil, fmt.Errorf("read %s: others may read it too: mode %04o; run: chmod 600 %[1]s", key, mode.Perm())
	}
	own, err := tls.X509KeyPair(certText, keyText)
	if err != nil {
		return nil, fmt.Errorf("read %s and %s: %w", cert, key, err)
	}
	if now := time.Now(); again && (now.After(own.Leaf.NotAfter) || now.Before(own.Leaf.NotBefore)) {
		return nil, fmt.Errorf("read %s: it is valid from %s to %s only", cert, own.Leaf.NotBefore.Format(time.RFC3339), own.Leaf.NotAfter.Format(time.RFC3339))
	}
	return &own, nil
}
