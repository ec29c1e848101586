package sentinel

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"hash"
	"os"
	"strings"

	"redkeep/internal/words"
)

// What keeps a private key with a pass phrase shut.
var (
	errNoPhrase    = errors.New("it has a pass phrase; set tls-key-file-pass, or tls-client-key-file-pass for the one of tls-client-key-file")
	errOtherPhrase = errors.New("its pass phrase is another; correct tls-key-file-pass, or tls-client-key-file-pass")
	errForm        = errors.New("it is encrypted in a way that this program doesn't know; write it anew with openssl pkey -aes256 -in OLD -out NEW")
)

// readPair reads a certificate and its private key, which pass opens where it has a pass phrase.
func readPair(certFile, keyFile string, pass words.Secret) (pair tls.Certificate, err error) {
	cert, err := os.ReadFile(certFile)
	if err == nil {
		var key []byte
		if key, err = os.ReadFile(keyFile); err == nil {
			if key, err = openKey(key, pass.Reveal()); err != nil {
				return pair, fmt.Errorf("read private key %s: %w", keyFile, err)
			}
			pair, err = tls.X509KeyPair(cert, key)
		}
	}
	if err != nil {
		return pair, fmt.Errorf("load certificate %s: %w; check tls-cert-file and tls-key-file", certFile, err)
	}
	return pair, nil
}

// openKey returns the text of a file with a private key as it is without a pass phrase. Whatever else is in it is left out.
func openKey(text []byte, pass string) ([]byte, error) {
	for rest := text; ; {
		var block *pem.Block
		switch block, rest = pem.Decode(rest); {
		case block == nil:
			return text, nil // whoever parses it says what is wrong with it
		case block.Type == "ENCRYPTED PRIVATE KEY":
			return openPKCS8(block.Bytes, pass)
		case !strings.HasSuffix(block.Type, "PRIVATE KEY"):
		case x509.IsEncryptedPEMBlock(block): //nolint:staticcheck // deprecated since it is weak, and what many files still have
			return openLegacy(block, pass)
		default:
			return text, nil
		}
	}
}

// openLegacy opens what OpenSSL wrote before its version 3.
func openLegacy(block *pem.Block, pass string) ([]byte, error) {
	if pass == "" {
		return nil, errNoPhrase
	}
	key, err := x509.DecryptPEMBlock(block, []byte(pass)) //nolint:staticcheck // as above
	if errors.Is(err, x509.IncorrectPasswordError) {
		return nil, errOtherPhrase
	}
	if err != nil {
		return nil, errForm
	}
	return pem.EncodeToMemory(&pem.Block{Type: block.Type, Bytes: key}), nil
}

// The parts of an encrypted key of PKCS #8, by RFC 8018 (PKCS #5), which Go's library reads only unencrypted.
type (
	shutKey struct {
		How  pkix.AlgorithmIdentifier
		Data []byte
	}
	pbes2 struct{ Derive, Cipher pkix.AlgorithmIdentifier }
	kdf2  struct {
		Salt   []byte
		Rounds int
		Length int                      `asn1:"optional"`
		PRF    pkix.AlgorithmIdentifier `asn1:"optional"`
	}
)

// The algorithms, by their numbers. The function that hashes is SHA-1's where a file names none.
var (
	oidPBES2  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}
	oidPBKDF2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}
	hashes    = map[string]func() hash.Hash{
		"": sha1.New, "1.2.840.113549.2.7": sha1.New, "1.2.840.113549.2.9": sha256.New, "1.2.840.113549.2.10": sha512.New384, "1.2.840.113549.2.11": sha512.New,
	}
	blocks = map[string]struct {
		make func([]byte) (cipher.Block, error)
		key  int // bytes
	}{
		"2.16.840.1.101.3.4.1.2": {aes.NewCipher, 16}, "2.16.840.1.101.3.4.1.22": {aes.NewCipher, 24}, "2.16.840.1.101.3.4.1.42": {aes.NewCipher, 32},
		"1.2.840.113549.3.7": {des.NewTripleDESCipher, 24},
	}
)

// mostRounds bounds what deriving costs: a second or two.
const mostRounds = 2_000_000

// openPKCS8 opens what OpenSSL has written since.
func openPKCS8(der []byte, pass string) ([]byte, error) {
	var shut shutKey
	var how pbes2
	var derive kdf2
	var iv []byte
	if !readPart(der, &shut) || !shut.How.Algorithm.Equal(oidPBES2) || !readPart(shut.How.Parameters.FullBytes, &how) || !how.Derive.Algorithm.Equal(oidPBKDF2) ||
		!readPart(how.Derive.Parameters.FullBytes, &derive) || !readPart(how.Cipher.Parameters.FullBytes, &iv) {
		return nil, errForm
	}
	hashed, with := hashes[derive.PRF.Algorithm.String()], blocks[how.Cipher.Algorithm.String()]
	if hashed == nil || with.make == nil || derive.Rounds < 1 || derive.Rounds > mostRounds {
		return nil, errForm
	}
	if pass == "" {
		return nil, errNoPhrase
	}
	key, err := pbkdf2.Key(hashed, pass, derive.Salt, derive.Rounds, with.key)
	if err != nil {
		return nil, errForm
	}
	block, err := with.make(key)
	if err != nil || len(iv) != block.BlockSize() || len(shut.Data) == 0 || len(shut.Data)%len(iv) != 0 {
		return nil, errForm
	}
	plain := make([]byte, len(shut.Data))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(plain, shut.Data)
	padding := int(plain[len(plain)-1])
	if padding < 1 || padding > len(iv) {
		return nil, errOtherPhrase
	}
	plain = plain[:len(plain)-padding]
	if _, err := x509.ParsePKCS8PrivateKey(plain); err != nil {
		return nil, errOtherPhrase
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: plain}), nil
}

// readPart reads a part, and reports whether it is one and all of it.
func readPart(der []byte, into any) bool {
	rest, err := asn1.Unmarshal(der, into)
	return err == nil && len(rest) == 0
}
