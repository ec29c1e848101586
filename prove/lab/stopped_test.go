package lab

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"redkeep/internal/picture"
	"redkeep/internal/speak/resp"
	"redkeep/internal/stage"
	"redkeep/internal/stage/writer"
	"redkeep/internal/words"
)

// TestRedisStopped stops the master's server, fills its buffer with writes, and continues it when another has taken over:
// it executes them, and no answer may leave.
func TestRedisStopped(t *testing.T) {
	for name, plan := range map[string]Plan{"IPv4": {}, "IPv6": {IPv6: true}} {
		t.Run(name, func(t *testing.T) {
			plan.DownAfter = 500 * time.Millisecond
			s := newSite(t, plan)
			w := s.settled()
			gaps := numbers{name: "Redis SIGSTOPped, write gap at down_after 500ms"}
			for i := range runs(2, 10) {
				s.stopRedis(w, &gaps, []netip.Addr{s.vip(), s.Host(s.awaitReady(10 * time.Second)).Addr()}[i%2])
			}
			t.Log(&gaps)
			s.lossless(w)
		})
	}
}

// stopRedis does so once, with a client that has come by the group's address or by the host's own.
func (s *Site) stopRedis(w *writer.Writer, gaps *numbers, by netip.Addr) {
	s.t.Helper()
	m := s.awaitReady(10 * time.Second)
	s.awaitWrites(w, 5*time.Second)
	conn, err := s.Client().Dial(s.t.Context(), "tcp", netip.AddrPortFrom(by, stage.DefaultPort).String())
	s.must(err)
	server := s.redis[m].Process()
	at := w.Writes()[len(w.Writes())-1].Sent
	s.must(server.Freeze())
	s.mark("stopped %s", m)
	var load []byte
	for i := range 200 {
		load = resp.AppendCommand(load, "SET", fmt.Sprintf("buffered-%d", i), "1")
	}
	_, err = conn.Write(load)
	s.must(err)
	s.await(10*time.Second, "acknowledgement of another node", func() bool { return s.lastAcker(w) != m })
	s.awaitWrites(w, 10*time.Second)
	s.bound("the gap", s.measure(w, at, gaps).Length(), 600*time.Millisecond)
	s.must(server.Thaw())
	s.mark("continued %s", m)
	if acked := acknowledged(conn, 300*time.Millisecond); acked > 0 {
		s.t.Errorf("%d buffered writes were acknowledged", acked)
	}
	s.must(conn.Close())
	s.await(10*time.Second, "replica of the old master's server", func() bool { return s.follows(m) })
}

// acknowledged counts the answers of OK that come within a time.
func acknowledged(conn net.Conn, within time.Duration) int {
	_ = conn.SetReadDeadline(time.Now().Add(within))
	var all []byte
	buffer := make([]byte, 4096)
	for {
		n, err := conn.Read(buffer)
		all = append(all, buffer[:n]...)
		if err != nil {
			return bytes.Count(all, []byte("+OK"))
		}
	}
}

// follows reports whether a node's server is a replica with its link up, as its own agent sees it.
func (s *Site) follows(h string) bool {
	g, err := s.status(h)
	if err != nil || g.State != picture.StateFollower {
		return false
	}
	own := s.self(g).Server
	return own.Role == words.RoleReplica && own.LinkUp
}

// TestLuaLoop keeps the master's server busy for longer than down_after: it works, so it is not dead.
func TestLuaLoop(t *testing.T) {
	plan := pick(Plan{}, Plan{Lease: 3 * time.Second, DownAfter: 5 * time.Second})
	s := newSite(t, plan)
	m := s.awaitReady(10 * time.Second)
	const loop = `local t = redis.call('TIME') local e = t[1] + 4
		repeat t = redis.call('TIME') until tonumber(t[1]) >= e return redis.status_reply('OK')`
	conn := s.dial(m)
	if v, err := conn.Do(10*time.Second, "EVAL", loop, "0"); err != nil || !v.IsOK() {
		t.Errorf("the loop ended with %v, %v", v, err)
	}
	// The epoch may have moved on: a holder reclaims its lease where a voter had voted elsewhere, and lets nothing go by it.
	if now := s.awaitMaster(5 * time.Second); now != m {
		t.Errorf("%s was master, now it is %s", m, now)
	}
}
