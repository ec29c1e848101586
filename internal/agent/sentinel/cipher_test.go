package sentinel

import (
	"crypto/tls"
	"slices"
	"testing"
)

// TestCiphersOf: what `openssl ciphers` prints of these lists, as far as Go has it.
func TestCiphersOf(t *testing.T) {
	const (
		e128, r128 = tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
		e256, r256 = tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384
	)
	for list, want := range map[string][]uint16{
		"": nil, "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256": {r256, r128}, "ECDHE+AESGCM:!aNULL": {e128, r128, e256, r256},
		"HIGH:!ECDSA:!CHACHA20:!SHA1:-AES128": {r256}, "AESGCM+ECDSA,DHE-RSA-AES128-SHA": {e128, e256}, "AES128-SHA": {tls.TLS_RSA_WITH_AES_128_CBC_SHA},
		"!AES128:AESGCM+aRSA @STRENGTH": {r256}, "ECDHE-ECDSA-AES128-GCM-SHA256:AESGCM+AES128": {e128, r128},
	} {
		if got, err := ciphersOf(list); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %x, %v", list, got, err)
		}
	}
	for _, list := range []string{"DHE-RSA-AES128-SHA", "nosuch", "HIGH:!HIGH", ":", "+", "ECDHE+nosuch"} {
		if got, err := ciphersOf(list); err == nil {
			t.Errorf("%q: %x", list, got)
		}
	}
	for _, s := range suites {
		if got, err := ciphersOf(s.name); err != nil || !slices.Equal(got, []uint16{s.id}) {
			t.Errorf("%s: %x, %v", s.name, got, err)
		}
	}
}

func TestSuitesOfTLS13(t *testing.T) {
	for list, want := range map[string]bool{"": false, "TLS_AES_256_GCM_SHA384": true, "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256": false} {
		if some, err := check13(list); err != nil || some != want {
			t.Errorf("%q: %v, %v", list, some, err)
		}
	}
	if _, err := check13("TLS_AES_128_CCM_SHA256"); err == nil {
		t.Error("Go has no CCM")
	}
}
