package redis

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/speak/resp"
	"redkeep/internal/words"
)

// fake is a scripted server, for answers that no server at hand gives. It is not Redis, and says nothing about Redis.
type fake struct {
	listener net.Listener
	wg       sync.WaitGroup
	mu       sync.Mutex // guards heard and conns
	heard    []string
	conns    []net.Conn
}

// startFake answers each request with what the script says, in bytes of the protocol; "" ends the connection.
func startFake(t *testing.T, script func(request string) string) *fake {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &fake{listener: l}
	f.wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			f.mu.Lock()
			f.conns = append(f.conns, conn)
			f.mu.Unlock()
			f.wg.Go(func() { f.serve(conn, script) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		f.mu.Lock()
		for _, c := range f.conns {
			_ = c.Close()
		}
		f.mu.Unlock()
		f.wg.Wait()
	})
	return f
}

func (f *fake) serve(conn net.Conn, script func(string) string) {
	defer func() { _ = conn.Close() }()
	from := resp.NewReader(conn, resp.ServerLimits)
	for {
		v, err := from.Read()
		if err != nil {
			return
		}
		request := strings.Join(v.Strings(), " ")
		f.mu.Lock()
		f.heard = append(f.heard, request)
		f.mu.Unlock()
		answer := script(request)
		if answer == "" {
			return
		}
		if _, err := io.WriteString(conn, answer); err != nil {
			return
		}
	}
}

func (f *fake) addr() netip.AddrPort { return netip.MustParseAddrPort(f.listener.Addr().String()) }

func (f *fake) hasHeard(request string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, h := range f.heard {
		if strings.HasPrefix(h, request) {
			return true
		}
	}
	return false
}

func bulk(text string) string { return string(resp.AppendBulk(nil, text)) }

// old28 plays a server of version 2.8: no REPLICAOF, no history, no CLIENT HELP, no filters.
func old28() func(string) string {
	var mu sync.Mutex
	role := "role:master\r\nmaster_repl_offset:5\r\n"
	return func(request string) string {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case request == "INFO server":
			return bulk("# Server\r\nredis_version:2.8.24\r\nrun_id:" + strings.Repeat("a", 40) + "\r\nuptime_in_seconds:3\r\n")
		case request == "INFO replication":
			return bulk("# Replication\r\n" + role)
		case strings.HasPrefix(request, "INFO "):
			return bulk("")
		case request == "CLIENT LIST":
			return bulk("id=3 addr=127.0.0.1:1 fd=5 name=redkeep-orders flags=N\nid=4 addr=10.0.0.2:5000 fd=6 name= flags=S\n" +
				"id=5 addr=10.0.0.3:5000 fd=7 name= flags=O\n")
		case request == "CLIENT KILL ID 3":
			return ":0\r\n"
		case strings.HasPrefix(request, "CLIENT SETNAME"):
			return "+OK\r\n"
		case request == "COMMAND INFO REPLICAOF CONFIG":
			return "*2\r\n*-1\r\n*1\r\n+config\r\n"
		case strings.HasPrefix(request, "SLAVEOF "):
			role = "role:slave\r\nmaster_host:127.0.0.1\r\nmaster_port:1\r\nmaster_link_status:down\r\nslave_repl_offset:5\r\n"
			return "+OK\r\n"
		case strings.HasPrefix(request, "CONFIG GET"):
			return "*0\r\n"
		default:
			return "-ERR unknown command\r\n"
		}
	}
}

func TestOldServerIsToldSlaveof(t *testing.T) {
	f := startFake(t, old28())
	h, _, seen := watchServer(t, Config{Addr: f.addr()})
	ctx := bounded(t)
	if seen.ReplID != "" || seen.Offset != 5 || seen.Version != "2.8.24" || seen.Second != -1 {
		t.Errorf("seen %+v", seen)
	}
	able, err := h.Abilities(ctx)
	if err != nil || able.ReplicaOf || able.PauseWrite || able.History || able.Rewrite {
		t.Errorf("abilities %+v, %v", able, err)
	}
	_, links, err := h.Pause(ctx, "", time.Second)
	if err != nil || len(links) != 1 || links[0].String() != "10.0.0.2:5000" {
		t.Errorf("pause: %v, %v", links, err)
	}
	if now, err := h.Demote(ctx, seen.RunID); err != nil || !now.Fenced() {
		t.Errorf("%+v, %v", now, err)
	}
	if !f.hasHeard("SLAVEOF 127.0.0.1 1") || !f.hasHeard("CLIENT KILL ID 3") || f.hasHeard("REPLICAOF") || f.hasHeard("CLIENT PAUSE") {
		t.Errorf("heard %q", f.heard)
	}
}

func TestOrderThatChangesNothingIsAnError(t *testing.T) {
	script := old28()
	f := startFake(t, func(request string) string {
		if strings.HasPrefix(request, "SLAVEOF") {
			return "+OK\r\n" // and the role stays
		}
		return script(request)
	})
	h, _, seen := watchServer(t, Config{Addr: f.addr()})
	if now, err := h.Demote(bounded(t), seen.RunID); err == nil || now.Role != words.RoleMaster {
		t.Errorf("%+v, %v", now, err)
	}
}

func TestConnectionThatCannotBeFencedTakesNoOrder(t *testing.T) {
	script := old28()
	f := startFake(t, func(request string) string {
		if request == "CLIENT LIST" {
			return "-NOPERM this user has no permissions to run the 'client|list' command\r\n"
		}
		return script(request)
	})
	h := New(Config{Addr: f.addr()})
	var reply *resp.ReplyError
	if _, err := h.Demote(bounded(t), ""); !errors.As(err, &reply) || reply.Code != "NOPERM" {
		t.Errorf("demote: %v", err)
	}
	if f.hasHeard("SLAVEOF") {
		t.Error("an order was given on a connection that is not fenced")
	}
}

// A server that is full answers with an error before any request, and hangs up. It lives, and it is not asked in a loop.
func TestFullServerComplains(t *testing.T) {
	f := startFake(t, func(string) string { return "-ERR max number of clients reached\r\n" })
	d := &diary{news: make(chan decide.Event, 4096)}
	ctx, end := contextFor(t)
	full := New(Config{Addr: f.addr(), Report: d.report})
	done := make(chan struct{})
	go func() { defer close(done); _ = full.Run(ctx) }()
	e := wait(t, d, "complaint", func(decide.Complained) bool { return true })
	if e.Kind != decide.ComplaintOther {
		t.Errorf("complaint %+v", e)
	}
	end()
	<-done
}

func TestGarbageEndsTheConnectionAndIsNotAskedInALoop(t *testing.T) {
	f := startFake(t, func(string) string { return "HTTP/1.1 400 Bad Request\r\n\r\n" })
	d := &diary{news: make(chan decide.Event, 4096)}
	ctx, end := contextFor(t)
	h := New(Config{Addr: f.addr(), Report: d.report})
	done := make(chan struct{})
	go func() { defer close(done); _ = h.Run(ctx) }()
	wait(t, d, "loss", func(e decide.Lost) bool { return e.Cause == decide.LossClosed })
	timer := time.NewTimer(100 * time.Millisecond)
	<-timer.C
	end()
	<-done
	f.mu.Lock()
	defer f.mu.Unlock()
	if n := len(f.conns); n > 40 {
		t.Errorf("%d connections in 100 ms", n)
	}
}

// Redis repeats the arguments of a command that it doesn't know, such as an AUTH that was renamed.
func TestPasswordIsInNoErrorReply(t *testing.T) {
	f := startFake(t, func(request string) string {
		return "-ERR unknown command, with args beginning with: '" + strings.Join(strings.Fields(request)[1:], "' '") + "'\r\n"
	})
	d := &diary{news: make(chan decide.Event, 4096)}
	ctx, end := contextFor(t)
	h := New(Config{Addr: f.addr(), User: "agent", Password: "sesame", Report: d.report})
	done := make(chan struct{})
	go func() { defer close(done); _ = h.Run(ctx) }()
	if e := wait(t, d, "complaint", func(decide.Complained) bool { return true }); strings.Contains(e.Text, "sesame") {
		t.Errorf("complaint %q", e.Text)
	}
	end()
	<-done
	if _, err := h.Look(bounded(t)); err == nil || strings.Contains(err.Error(), "sesame") {
		t.Errorf("order: %v", err)
	}
}
