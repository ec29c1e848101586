package authority

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// Authority signs certificates.
type Authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  []byte
}

// valid is how long a certificate is valid from now on where nothing else is said.
const valid = 24 * time.Hour

// New makes an authority of that name, with a key of its own.
func New(name string) (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make authority %s: %w", name, err)
	}
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(valid),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	a := &Authority{key: key}
	if a.pem, err = sign(template, template, key, key); err != nil {
		return nil, fmt.Errorf("make authority %s: %w", name, err)
	}
	block, _ := pem.Decode(a.pem)
	if a.cert, err = x509.ParseCertificate(block.Bytes); err != nil {
		return nil, fmt.Errorf("make authority %s: %w", name, err)
	}
	return a, nil
}

// Certificate is whom a certificate is for.
type Certificate struct {
	// Names are host names and IP addresses; a client needs none.
	Names []string
	// NotAfter is its end; a day from now where it is zero. It began to be valid an hour before its end or now, whichever is earlier.
	NotAfter time.Time
}

// Issue signs a certificate and writes it and its key to NAME.pem and NAME.key in the directory. A file that is there is
// replaced in one step, so that no reader meets a half. It returns their paths.
func (a *Authority) Issue(dir, name string, c Certificate) (cert, key string, err error) {
	cert, key = filepath.Join(dir, name+".pem"), filepath.Join(dir, name+".key")
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", "", fmt.Errorf("issue %s: %w", name, err)
	}
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, NotAfter: c.NotAfter, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if template.NotAfter.IsZero() {
		template.NotAfter = time.Now().Add(valid)
	}
	template.NotBefore = time.Now().Add(-time.Hour)
	if before := template.NotAfter.Add(-time.Hour); before.Before(template.NotBefore) {
		template.NotBefore = before
	}
	for _, n := range c.Names {
		if ip := net.ParseIP(n); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, n)
		}
	}
	signed, err := sign(template, a.cert, private, a.key)
	if err != nil {
		return "", "", fmt.Errorf("issue %s: %w", name, err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return "", "", fmt.Errorf("issue %s: %w", name, err)
	}
	if err := replace(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})); err != nil {
		return "", "", err
	}
	return cert, key, replace(cert, signed)
}

// sign returns a certificate in PEM form.
func sign(template, parent *x509.Certificate, key, by *ecdsa.PrivateKey) ([]byte, error) {
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		return nil, err
	}
	template.SerialNumber = serial
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), by)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), nil
}

// Bundle writes the authorities' own certificates into one file, in one step.
func Bundle(path string, trusted ...*Authority) error {
	var all bytes.Buffer
	for _, a := range trusted {
		all.Write(a.pem)
	}
	return replace(path, all.Bytes())
}

// replace writes a file in one step.
func replace(path string, text []byte) error {
	next := path + ".next"
	if err := os.WriteFile(next, text, 0o600); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := os.Rename(next, path); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
