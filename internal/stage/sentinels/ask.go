package sentinels

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"

	"redkeep/internal/speak/resp"
	"redkeep/internal/stage/wire"
)

// loopback is by which the Sentinel is asked on its own host: what becomes of the host's cable is no matter.
var loopback = netip.AddrFrom4([4]byte{127, 0, 0, 1})

// Dial connects to the Sentinel from its own host, and authenticates if its configuration has how.
func (s *Sentinel) Dial(ctx context.Context) (*wire.Conn, error) {
	conn, err := s.DialBare(ctx)
	if err != nil || s.config.Password == "" {
		return conn, err
	}
	auth := []string{"AUTH", s.config.User, s.config.Password}
	if s.config.User == "" {
		auth = []string{"AUTH", s.config.Password}
	}
	if _, err := conn.Do(askLimit, auth...); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// DialBare connects without authenticating.
func (s *Sentinel) DialBare(ctx context.Context) (*wire.Conn, error) {
	dial := wire.Dialer(s.host.Dial)
	if s.config.TLS != nil {
		dial = wire.OverTLS(dial, s.config.TLS)
	}
	return wire.Dial(ctx, dial, netip.AddrPortFrom(loopback, s.config.Port), askLimit)
}

// line is the connection for questions, one at a time. A connection for each would fill the log, and cost more than the answers.
type line struct {
	mu   sync.Mutex // held while a question is asked
	conn *wire.Conn
}

// Do asks one thing. An error reply is a *resp.ReplyError; after any other error the next question has a new connection.
func (s *Sentinel) Do(args ...string) (resp.Value, error) {
	s.line.mu.Lock()
	defer s.line.mu.Unlock()
	if s.line.conn == nil {
		conn, err := s.Dial(context.Background())
		if err != nil {
			return resp.Value{}, err
		}
		s.line.conn = conn
	}
	answer, err := s.line.conn.Do(askLimit, args...)
	var refused *resp.ReplyError
	if err != nil && !errors.As(err, &refused) {
		s.line.hangUp()
	}
	return answer, err
}

// hangUp closes the connection. l.mu must be held.
func (l *line) hangUp() {
	if l.conn != nil {
		l.conn.Close()
		l.conn = nil
	}
}

// forget closes the connection of a process that is gone.
func (s *Sentinel) forget() {
	s.line.mu.Lock()
	defer s.line.mu.Unlock()
	s.line.hangUp()
}

// Map asks for one answer of names and values.
func (s *Sentinel) Map(args ...string) (map[string]string, error) {
	answer, err := s.Do(args...)
	if err != nil {
		return nil, err
	}
	return fields(answer), nil
}

// Maps asks for a list of such answers.
func (s *Sentinel) Maps(args ...string) ([]map[string]string, error) {
	answer, err := s.Do(args...)
	if err != nil {
		return nil, err
	}
	all := make([]map[string]string, 0, len(answer.Elems))
	for _, one := range answer.Elems {
		all = append(all, fields(one))
	}
	return all, nil
}

func fields(v resp.Value) map[string]string {
	found := map[string]string{}
	for i := 0; i+1 < len(v.Elems); i += 2 {
		found[v.Elems[i].Text] = v.Elems[i+1].Text
	}
	return found
}

// Master asks where the group's master is; a name is looked up in the process's own /etc/hosts.
func (s *Sentinel) Master(group string) (netip.AddrPort, error) {
	answer, err := s.Do("SENTINEL", "GET-MASTER-ADDR-BY-NAME", group)
	if err != nil {
		return netip.AddrPort{}, err
	}
	if len(answer.Elems) != 2 {
		return netip.AddrPort{}, fmt.Errorf("ask %s for the master: no group %s", s.host.Name(), group)
	}
	return netip.ParseAddrPort(net.JoinHostPort(s.resolve(answer.Elems[0].Text), answer.Elems[1].Text))
}

// resolve finds a name in what the process has for /etc/hosts; what is not there is returned as it is.
func (s *Sentinel) resolve(name string) string {
	for line := range strings.Lines(s.config.Hosts) {
		if f := strings.Fields(line); len(f) == 2 && f[1] == name {
			return f[0]
		}
	}
	return name
}

// ID returns the Sentinel's ID.
func (s *Sentinel) ID() (string, error) {
	answer, err := s.Do("SENTINEL", "MYID")
	return answer.Text, err
}

// MoveTo has a Sentinel that does not run asked at another port from now on; its file says where it listens.
func (s *Sentinel) MoveTo(port uint16) error {
	if s.Running() {
		return fmt.Errorf("move sentinel on %s: it runs", s.host.Name())
	}
	s.config.Port = port
	return nil
}
