package redis

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// secured is a connection over TLS that behaves as one without does: it is there as soon as the kernel at the other end has
// taken it, and what is written goes out when the server gets to it. The handshake is the reader's business. So a server that
// is too slow for a handshake is told from one that is dead by the same silence as always, and finds no heap of connections
// that were given up when it is back.
type secured struct {
	*tls.Conn
	raw net.Conn

	mu sync.Mutex // guards all below
	// shaken says that the handshake is over; waiting is what was written before.
	shaken  bool
	waiting []byte
}

func secure(raw net.Conn, c *tls.Config) *secured {
	return &secured{Conn: tls.Client(raw, c), raw: raw}
}

// Read shakes hands first, if that was not done.
func (s *secured) Read(b []byte) (int, error) {
	if err := s.shake(); err != nil {
		return 0, err
	}
	n, err := s.Conn.Read(b)
	return n, refusal(err)
}

// shake is bounded by the connection's deadline, and by its end.
func (s *secured) shake() error {
	if s.isShaken() {
		return nil
	}
	if err := s.Handshake(); err != nil {
		return refusal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shaken = true
	_ = s.raw.SetWriteDeadline(time.Now().Add(soon))
	_, err := s.Conn.Write(s.waiting)
	s.waiting = nil
	_ = s.raw.SetWriteDeadline(time.Time{})
	if err != nil {
		// From TLS 1.3 on a client's handshake is over before the server has judged its certificate: the reason for the end
		// is still to be read.
		if _, why := s.Conn.Read(make([]byte, 1)); why != nil {
			return refusal(why)
		}
	}
	return refusal(err)
}

func (s *secured) isShaken() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.shaken
}

// Write leaves to the handshake's end what comes before it.
func (s *secured) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.shaken {
		s.waiting = append(s.waiting, b...)
		return len(b), nil
	}
	n, err := s.Conn.Write(b)
	return n, refusal(err)
}

// SetWriteDeadline is for what goes out: the handshake's own words have the server's time.
func (s *secured) SetWriteDeadline(t time.Time) error {
	if !s.isShaken() {
		return nil
	}
	return s.raw.SetWriteDeadline(t)
}

// Close ends the connection at once. A farewell in TLS could wait for a server that doesn't read, and tells nothing: an
// answer says itself where it ends.
func (s *secured) Close() error { return s.raw.Close() }

// refusedError is a server and an agent that could speak with each other, and one of them won't.
type refusedError struct{ cause error }

func (r *refusedError) Error() string {
	cause := strings.TrimPrefix(r.cause.Error(), "tls: ")
	if words, remote := strings.CutPrefix(cause, "remote error: tls: "); remote {
		return fmt.Sprintf("the server refuses TLS with the agent (%s); look at cert and key in redkeep.yaml, and at the tls-ca-cert-file of the server", words)
	}
	return fmt.Sprintf("the agent refuses TLS with the server: %s; look at tls in redkeep.yaml, and at the server's tls-port and tls-cert-file", cause)
}

func (r *refusedError) Unwrap() error { return r.cause }

// refusal tells a refusal from a connection that has ended, which has no opinion.
func refusal(err error) error {
	var errno unix.Errno
	timeout := net.Error(nil)
	switch {
	case err == nil, errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed), errors.As(err, &errno):
		return err
	case errors.As(err, &timeout) && timeout.Timeout():
		return err
	default:
		return &refusedError{err}
	}
}

// verify checks the server's certificate as crypto/tls would, but for its name, which may be any of several.
func verify(state tls.ConnectionState, roots *x509.CertPool, names []string) error {
	leaf, between := state.PeerCertificates[0], x509.NewCertPool()
	for _, c := range state.PeerCertificates[1:] {
		between.AddCert(c)
	}
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between}); err != nil {
		return fmt.Errorf("the server's certificate: %w", err)
	}
	for _, n := range names {
		if leaf.VerifyHostname(n) == nil {
			return nil
		}
	}
	if len(names) > 0 {
		return fmt.Errorf("the server's certificate is for %s and not for %s; name one of those as server_name", namesOf(leaf), strings.Join(names, " or "))
	}
	return nil
}

// namesOf lists whom a certificate is for. Its common name counts no more.
func namesOf(c *x509.Certificate) string {
	names := append([]string{}, c.DNSNames...)
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	if len(names) == 0 {
		return "no name at all"
	}
	return strings.Join(names, ", ")
}
