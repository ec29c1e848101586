package fleet

import (
	"net/netip"
	"strconv"

	"redkeep/internal/act/sockets"
)

// server is one of a group's.
type server struct {
	fleet    *fleet
	group    int
	at       netip.AddrPort
	runID    string
	listener *sockets.Listener
	// master is whom it follows; the zero value says that it is one itself.
	master netip.AddrPort
	// lost says that its host is gone: nothing is answered, and nobody gets through to it.
	lost bool
	// sessions are all of its connections, and listeners those that have subscribed.
	sessions, listeners []*session
}

// listen has the server reached.
func (s *server) listen() (err error) {
	s.listener, err = s.fleet.loop.Listen(s.at, 16, nil, func(c *sockets.Conn) sockets.Handler {
		one := &session{server: s, conn: c}
		s.sessions = append(s.sessions, one)
		return one
	})
	return err
}

// lose has its host be gone.
func (s *server) lose() {
	s.lost = true
	s.listener.Close()
}

// publish tells those who listen, and returns how many they are.
func (s *server) publish(text []byte) int {
	if s.lost {
		return 0
	}
	b := append(s.fleet.scratch[:0], "*3\r\n$7\r\nmessage\r\n$18\r\n__sentinel__:hello\r\n$"...)
	b = strconv.AppendInt(b, int64(len(text)), 10)
	b = append(append(append(b, "\r\n"...), text...), "\r\n"...)
	for _, l := range s.listeners {
		l.conn.Write(b)
	}
	s.fleet.scratch = b
	return len(s.listeners)
}

// appendInfo answers INFO.
func (s *server) appendInfo(b []byte) []byte {
	info := append(s.fleet.info[:0], s.fleet.texts[0]...)
	info = append(append(info, s.runID...), s.fleet.texts[1]...)
	info = append(strconv.AppendInt(info, int64(s.at.Port()), 10), s.fleet.texts[2]...)
	info = append(strconv.AppendInt(info, s.fleet.uptime(), 10), s.fleet.texts[3]...)
	info = append(s.appendReplication(info), s.fleet.texts[4]...)
	s.fleet.info = info
	b = strconv.AppendInt(append(b, '$'), int64(len(info)), 10)
	return append(append(append(b, "\r\n"...), info...), "\r\n"...)
}

// appendReplication is the section of that name.
func (s *server) appendReplication(b []byte) []byte {
	offset := s.fleet.uptime() * 14
	field := func(name string, value int64) {
		b = append(strconv.AppendInt(append(b, name...), value, 10), "\r\n"...)
	}
	b = append(b, "# Replication\r\n"...)
	if s.master.IsValid() {
		b = append(append(b, "role:slave\r\nmaster_host:"...), s.master.Addr().String()...)
		field("\r\nmaster_port:", int64(s.master.Port()))
		b = append(b, "master_link_status:up\r\nmaster_last_io_seconds_ago:1\r\nmaster_sync_in_progress:0\r\n"...)
		field("slave_read_repl_offset:", offset)
		field("slave_repl_offset:", offset)
		b = append(b, "slave_priority:100\r\nslave_read_only:1\r\nreplica_announced:1\r\nconnected_slaves:0\r\n"...)
	} else {
		b = append(b, "role:master\r\n"...)
		followers := s.fleet.followers(s)
		field("connected_slaves:", int64(len(followers)))
		for i, f := range followers {
			b = append(strconv.AppendInt(append(b, "slave"...), int64(i), 10), ":ip="...)
			b = append(append(b, f.at.Addr().String()...), ",port="...)
			b = append(strconv.AppendInt(b, int64(f.at.Port()), 10), ",state=online"...)
			field(",offset=", offset)
			b = append(b[:len(b)-2], ",lag=0\r\n"...)
		}
	}
	b = append(b, "master_failover_state:no-failover\r\nmaster_replid:"...)
	b = append(append(b, s.fleet.servers[s.group*Servers].runID...), "\r\nmaster_replid2:0000000000000000000000000000000000000000\r\n"...)
	field("master_repl_offset:", offset)
	b = append(b, "second_repl_offset:-1\r\nrepl_backlog_active:1\r\nrepl_backlog_size:1048576\r\nrepl_backlog_first_byte_offset:1\r\n"...)
	field("repl_backlog_histlen:", offset)
	return b
}
