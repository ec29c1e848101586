package agent

import (
	"crypto/tls"
	"log/slog"
	"sync/atomic"

	"redkeep/internal/act/redis/certfile"
	"redkeep/internal/speak/config"
)

// papers are the certificates for clients of the face, as their files have them when one connects.
type papers struct {
	paths config.ListenTLS
	pair  certfile.Pair
	roots certfile.Roots
	log   *slog.Logger
	// said is why the files were of no use lately: of the pair, and of the roots.
	said atomic.Pointer[[2]string]
}

// serveTLS is how clients connect to the face's port with TLS.
func serveTLS(paths config.ListenTLS, log *slog.Logger) (*tls.Config, error) {
	p := &papers{paths: paths, log: log}
	p.said.Store(new([2]string))
	now, err := p.config()
	if err != nil {
		return nil, err
	}
	now.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return p.config() }
	return now, nil
}

// config is for a connection that begins now. It fails only where the files never were good, which serveTLS has found out.
func (p *papers) config() (*tls.Config, error) {
	var why [2]string
	pair, err := p.pair.Newest(p.paths.Cert, p.paths.Key, func(text string) { why[0] = text })
	if err != nil {
		return nil, err
	}
	// A ticket would be good for longer than the files that it was given for.
	made := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{*pair}, SessionTicketsDisabled: true}
	if p.paths.CA != "" {
		made.ClientAuth = tls.RequireAndVerifyClientCert
		if made.ClientCAs, err = p.roots.Newest(p.paths.CA, func(text string) { why[1] = text }); err != nil {
			return nil, err
		}
	}
	p.tell(why)
	return made, nil
}

// tell logs what is wrong with the files, once.
func (p *papers) tell(why [2]string) {
	before := p.said.Swap(&why)
	for i, text := range why {
		if text != "" && text != before[i] {
			p.log.Warn("files of listen_tls are of no use", "error", text)
		}
	}
}
