package sentinel

import (
	"crypto/tls"
	"errors"
	"slices"
	"strings"
)

// suites are the ciphers of TLS 1.2 that Go has and OpenSSL has a name for, each with that and with the words by which OpenSSL's lists mean
// it together with others. Those that exchange keys by RSA come by their names only: what was sent can be read by who gets the key later.
var suites = []struct {
	id          uint16
	name, words string
}{
	{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDSA AES128 AESGCM SHA256 AES"},
	{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, "ECDHE-RSA-AES128-GCM-SHA256", "aRSA AES128 AESGCM SHA256 AES"},
	{tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDSA AES256 AESGCM SHA384 AES"},
	{tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, "ECDHE-RSA-AES256-GCM-SHA384", "aRSA AES256 AESGCM SHA384 AES"},
	{tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDSA CHACHA20"},
	{tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, "ECDHE-RSA-CHACHA20-POLY1305", "aRSA CHACHA20"},
	{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, "ECDHE-ECDSA-AES128-SHA", "ECDSA AES128 SHA SHA1 AES"},
	{tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, "ECDHE-RSA-AES128-SHA", "aRSA AES128 SHA SHA1 AES"},
	{tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA, "ECDHE-ECDSA-AES256-SHA", "ECDSA AES256 SHA SHA1 AES"},
	{tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA, "ECDHE-RSA-AES256-SHA", "aRSA AES256 SHA SHA1 AES"},
	{tls.TLS_RSA_WITH_AES_128_GCM_SHA256, "AES128-GCM-SHA256", ""},
	{tls.TLS_RSA_WITH_AES_256_GCM_SHA384, "AES256-GCM-SHA384", ""},
	{tls.TLS_RSA_WITH_AES_128_CBC_SHA, "AES128-SHA", ""},
	{tls.TLS_RSA_WITH_AES_256_CBC_SHA, "AES256-SHA", ""},
}

// wordsOfAll are OpenSSL's for all that have words of their own.
const wordsOfAll = " ALL DEFAULT HIGH ECDHE EECDH kECDHE kEECDH "

// suites13 are those of TLS 1.3. Go has no choice among them.
var suites13 = []string{"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"}

// ciphersOf returns those of TLS 1.2 that a list of OpenSSL's leaves, in no order that counts: Go has its own. None is for Go's choice.
func ciphersOf(list string) (ids []uint16, err error) {
	never := []uint16{}
	for _, word := range listed(list) {
		remove, forbid := strings.HasPrefix(word, "-"), strings.HasPrefix(word, "!")
		for _, s := range suites {
			switch means := meant(strings.TrimLeft(word, "-!"), s.name, s.words); {
			case !means:
			case remove || forbid:
				ids = slices.DeleteFunc(ids, func(id uint16) bool { return id == s.id })
				if forbid {
					never = append(never, s.id)
				}
			case !slices.Contains(ids, s.id) && !slices.Contains(never, s.id):
				ids = append(ids, s.id)
			}
		}
	}
	if len(ids) == 0 && list != "" {
		return nil, errors.New("tls-ciphers names none that there is here; name some such as ECDHE+AESGCM, or leave it out")
	}
	return ids, nil
}

// meant reports whether a word of a list means a cipher: A+B is what both mean. Unknown ones mean none, as with OpenSSL.
func meant(word, name, words string) bool {
	if word == name {
		return true
	}
	if words == "" {
		return false
	}
	for part := range strings.SplitSeq(word, "+") {
		if part == "" || !strings.Contains(wordsOfAll+words+" ", " "+part+" ") {
			return false
		}
	}
	return true
}

// check13 looks at a list of those of TLS 1.3, and reports whether it leaves any out.
func check13(list string) (some bool, err error) {
	known := 0
	for _, word := range suites13 {
		if slices.Contains(listed(list), word) {
			known++
		}
	}
	if known == 0 && list != "" {
		return false, errors.New("tls-ciphersuites names none that there is here; name some of " + strings.Join(suites13, ", ") + ", or leave it out")
	}
	return list != "" && known < len(suites13), nil
}

// listed are the words of a list, which OpenSSL lets stand between any of these.
func listed(list string) []string {
	return strings.FieldsFunc(list, func(c rune) bool { return strings.ContainsRune(":,; ", c) })
}
