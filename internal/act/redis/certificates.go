package redis

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"
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
	mu    sync.Mutex // guards all below
	roots kept[*x509.CertPool]
	own   kept[*tls.Certificate]
}

// config returns what the next connection is made with. New files that are of no use are remarked on, and those before them
// go on.
func (c *certificates) config(t TLS, remark func(string)) (*tls.Config, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	roots, err := c.roots.newest(remark, func(bool) (*x509.CertPool, error) { return readRoots(t.CA) }, t.CA)
	if err != nil {
		return nil, err
	}
	own := &tls.Certificate{} // none
	if t.Cert != "" {
		read := func(again bool) (*tls.Certificate, error) { return readOwn(t.Cert, t.Key, again) }
		if own, err = c.own.newest(remark, read, t.Cert, t.Key); err != nil {
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

// kept is what was last read from some files and found good.
type kept[T any] struct {
	good   T
	known  bool
	stamps []stamp
}

// newest returns what the files have now, or where that is of no use what they had. read is told whether there is something
// to fall back on.
func (k *kept[T]) newest(remark func(string), read func(again bool) (T, error), paths ...string) (T, error) {
	var now []stamp
	for _, p := range paths {
		now = append(now, stampOf(p))
	}
	if k.known && slices.Equal(now, k.stamps) {
		return k.good, nil
	}
	found, err := read(k.known)
	switch {
	case err == nil:
		k.good, k.known, k.stamps = found, true, now
	case k.known:
		remark(fmt.Sprintf("the last good certificates stay in use: %v", err))
	default:
		return found, err
	}
	return k.good, nil
}

// stamp tells a file from what it becomes.
type stamp struct {
	inode   uint64
	size    int64
	changed time.Time
}

// stampOf is zero for a file that can't be seen.
func stampOf(path string) stamp {
	info, err := os.Stat(path)
	if err != nil {
		return stamp{}
	}
	s := stamp{size: info.Size(), changed: info.ModTime()}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		s.inode = stat.Ino
	}
	return s
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

// readOwn reads the agent's certificate with its key. One that is not valid now is refused where another is at hand; else the
// server may say so.
func readOwn(cert, key string, again bool) (*tls.Certificate, error) {
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

// readPEM reads a file, and the mode of the very file that was read.
func readPEM(path string) ([]byte, fs.FileMode, error) {
	const most = 1 << 20 // several times what an operating system trusts
	file, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return nil, 0, err
	}
	if !info.Mode().IsRegular() {
		return nil, 0, &fs.PathError{Op: "read", Path: path, Err: errors.New("not a regular file")}
	}
	text, err := io.ReadAll(io.LimitReader(file, most))
	return text, info.Mode(), err
}
