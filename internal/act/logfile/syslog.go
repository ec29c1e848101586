package logfile

import (
	"fmt"
	"net"
	"strings"
	"time"

	"redkeep/internal/speak/logline"
)

// Syslog is the host's log, as a configuration's syslog-ident and syslog-facility have it.
type Syslog struct {
	// Ident is what each line begins with.
	Ident string
	// Facility is one of ParseFacility.
	Facility int
	// Socket is /dev/log where it is "".
	Socket string

	conn net.Conn
}

// ParseFacility reads a syslog-facility: user, or local0 to local7, in letters of either case.
func ParseFacility(name string) (facility int, ok bool) {
	name = strings.ToLower(name)
	if name == "user" {
		return 1, true
	}
	n, found := strings.CutPrefix(name, "local")
	if !found || len(n) != 1 || n[0] < '0' || n[0] > '7' {
		return 0, false
	}
	return 16 + int(n[0]-'0'), true
}

// severities are syslog's for our levels, as Redis maps them: debug, informational, notice, warning.
var severities = [...]int{7, 6, 5, 4}

// message prints one datagram.
func (s *Syslog) message(pid int, at time.Time, level logline.Level, text string) []byte {
	b := fmt.Appendf(nil, "<%d>%s %s[%d]: ", s.Facility<<3|severities[level], at.Format(time.Stamp), s.Ident, pid)
	return logline.AppendText(b, text)
}

// patience is how long one batch may take: a journal that hangs costs lines, and not the log's memory.
const patience = time.Second

// send sends datagrams. A socket that was taken away is looked for again once.
func (s *Syslog) send(messages [][]byte) {
	until := time.Now().Add(patience)
	for _, m := range messages {
		if s.sendOne(m, until) == nil || time.Now().After(until) {
			continue
		}
		_ = s.sendOne(m, until)
	}
}

func (s *Syslog) sendOne(m []byte, until time.Time) error {
	if s.conn == nil {
		socket := s.Socket
		if socket == "" {
			socket = "/dev/log"
		}
		conn, err := net.DialTimeout("unixgram", socket, patience)
		if err != nil {
			return fmt.Errorf("reach syslog: %w", err)
		}
		s.conn = conn
	}
	_ = s.conn.SetWriteDeadline(until)
	if _, err := s.conn.Write(m); err != nil {
		_ = s.conn.Close()
		s.conn = nil
		return fmt.Errorf("tell syslog: %w", err)
	}
	return nil
}
