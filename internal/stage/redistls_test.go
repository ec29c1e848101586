package stage

import (
	"crypto/tls"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"redkeep/internal/stage/authority"
	"redkeep/internal/stage/writer"
)

// TestRedisOverTLS has a server that replicates over TLS alone, a writer that speaks it, and certificates that change.
func TestRedisOverTLS(t *testing.T) {
	needRedis(t)
	s := open(t, "h1", "h2")
	root, err := authority.New("old")
	must(t, err)
	ca := filepath.Join(s.Dir(), "ca.pem")
	must(t, authority.Bundle(ca, root))
	start := func(h *Host, master netip.AddrPort) *Redis {
		t.Helper()
		cert, key, err := root.Issue(h.Dir(), "server", authority.Certificate{Names: []string{h.Addr().String()}})
		must(t, err)
		r, err := h.StartRedis(t.Context(), RedisConfig{
			TLS: &RedisTLS{Port: 6379, Only: true, Replication: true, CA: ca, Cert: cert, Key: key}, ReplicaOf: master,
		})
		must(t, err)
		return r
	}
	master := start(s.Host("h1"), netip.AddrPort{})
	replica := start(s.Host("h2"), master.Addr())
	cert, key, err := root.Issue(s.Dir(), "client", authority.Certificate{})
	must(t, err)
	w, err := s.Write(t.Context(), writer.Options{
		Finder: writer.Fixed(master.Addr()), TLS: func() (*tls.Config, error) { return ClientTLS(ca, cert, key) }, Interval: time.Millisecond,
	})
	must(t, err)
	defer w.Stop()
	written := func(n int) { t.Helper(); await(t, func() bool { return len(w.Writes()) >= n && w.Writes()[n-1].OK() }) }
	written(20)
	next, err := authority.New("new")
	must(t, err)
	must(t, authority.Bundle(ca, root, next))
	must(t, master.ReloadTLS(t.Context()))
	_, _, err = next.Issue(s.Host("h1").Dir(), "server", authority.Certificate{Names: []string{s.Host("h1").Addr().String()}})
	must(t, err)
	must(t, master.ReloadTLS(t.Context()))
	answer, err := master.Do(t.Context(), "PING")
	must(t, err)
	if answer.Text != "PONG" {
		t.Errorf("PING: %+v", answer)
	}
	writes := w.Stop()
	for _, write := range writes[:len(writes)-1] { // the last one was cut off by the end
		if !write.OK() {
			t.Errorf("a write failed: %s", write.Err)
		}
	}
	await(t, func() bool {
		report, err := w.Audit(t.Context(), replica.Addr())
		return err == nil && report.Lost() == 0
	})
}
