package sentinel

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"redkeep/internal/speak/sentinelconf"
)

// readAuthorities returns the authority that the file names, and all that are in the directory. lacks says what in the directory may be
// missing among them and what to do, "" for nothing: a Sentinel that others would refuse without a word has a log to look into.
func readAuthorities(t sentinelconf.TLS) (roots *x509.CertPool, lacks string, err error) {
	roots = x509.NewCertPool()
	if f := t.CACertFile; f != "" {
		text, err := os.ReadFile(f)
		if err != nil {
			return nil, "", fmt.Errorf("read authority %s: %w; check tls-ca-cert-file", f, err)
		}
		if !roots.AppendCertsFromPEM(text) {
			return nil, "", fmt.Errorf("read authority %s: there is no certificate in it; check tls-ca-cert-file", f)
		}
	}
	if t.CACertDir == "" {
		return roots, "", nil
	}
	lacks, err = addDirectory(roots, t.CACertDir)
	if err != nil && t.CACertFile != "" { // there is the file's at least
		return roots, err.Error(), nil
	}
	return roots, lacks, err
}

// mostNames is how many files one line of the log names.
const mostNames = 10

// addDirectory adds the authorities of a directory. Anything else may be there, too: links to certificates that were removed, directories,
// files with other things in them.
func addDirectory(to *x509.CertPool, dir string) (lacks string, err error) {
	all, err := os.ReadDir(dir)
	if err != nil {
		return "", fmt.Errorf("read tls-ca-cert-dir: %w; check it", err)
	}
	found, unread := false, []string(nil)
	for _, entry := range all {
		text, err := readRegular(filepath.Join(dir, entry.Name()))
		switch {
		case errors.Is(err, fs.ErrNotExist): // a link, or removed just now
		case err != nil:
			unread = append(unread, entry.Name())
		case to.AppendCertsFromPEM(text):
			found = true
		}
	}
	if more := len(unread) - mostNames; more > 0 {
		unread = append(unread[:mostNames], fmt.Sprintf("and %d more", more))
	}
	switch {
	case len(unread) > 0:
		return fmt.Sprintf("in tls-ca-cert-dir %s there are files that can't be read, and whoever is signed by an authority in them is refused; "+
			"have this Sentinel's user read them, or remove them: %s", dir, strings.Join(unread, ", ")), nil
	case !found:
		return fmt.Sprintf("there is no certificate in tls-ca-cert-dir %s; put the authorities there as PEM, or leave it out", dir), nil
	default:
		return "", nil
	}
}

// readRegular reads a file, and nothing of what is no regular one.
func readRegular(name string) ([]byte, error) {
	if about, err := os.Stat(name); err != nil || !about.Mode().IsRegular() {
		return nil, err
	}
	return os.ReadFile(name)
}
