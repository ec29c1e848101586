package sentinel

import (
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"redkeep/internal/words"
)

// TestKeysWithAPassPhrase opens what OpenSSL writes, and has written; all of these are one key.
func TestKeysWithAPassPhrase(t *testing.T) {
	a := newAuthority(t, "ca")
	for name, form := range map[string]error{"pkcs8": nil, "sha1": nil, "des3": nil, "legacy": nil, "scrypt": errForm} {
		text, err := os.ReadFile(filepath.Join("testdata", "key-"+name+".pem"))
		if err != nil {
			t.Fatal(err)
		}
		for pass, want := range map[string]error{"hunter2": nil, "": errNoPhrase, "hunter3": errOtherPhrase} {
			if form != nil {
				want = form
			}
			key, err := openKey(text, pass)
			if !errors.Is(err, want) {
				t.Errorf("%s, %q: %v", name, pass, err)
			}
			if err != nil {
				continue
			}
			// It is a key, and not this certificate's.
			cert, _ := os.ReadFile(a.file("ca.crt"))
			if _, err := tls.X509KeyPair(cert, key); err == nil || err.Error() != "tls: private key does not match public key" {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if _, err := readPair(a.file("ca.crt"), a.file("ca.key"), words.NewSecret("needless")); err != nil {
		t.Errorf("a key without one: %v", err)
	}
	if _, err := readPair(a.file("ca.crt"), filepath.Join("testdata", "key-pkcs8.pem"), words.NewSecret("hunter3")); !errors.Is(err, errOtherPhrase) {
		t.Errorf("a file with another: %v", err)
	}
}

// FuzzOpenKey: a file may have anything in it.
func FuzzOpenKey(f *testing.F) {
	for _, name := range []string{"pkcs8", "sha1", "des3", "legacy", "scrypt"} {
		text, err := os.ReadFile(filepath.Join("testdata", fmt.Sprintf("key-%s.pem", name)))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if key, err := openKey(text, "hunter3"); err == nil && len(key) == 0 && len(text) > 0 {
			t.Error("it has become nothing")
		}
	})
}
