package sentinel

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"redkeep/internal/speak/resp"
)

// dataServer is as much of a redis-server as go-redis needs: GET answers with the server's name.
func dataServer(t *testing.T, name, addr string) (port uint16) {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Skipf("listen on %s: %v", addr, err)
	}
	var running sync.WaitGroup
	var mu sync.Mutex
	conns := map[net.Conn]bool{}
	running.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns[conn] = true
			mu.Unlock()
			running.Go(func() { answerData(conn, name) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		for c := range conns {
			c.Close()
		}
		mu.Unlock()
		running.Wait()
	})
	return l.Addr().(*net.TCPAddr).AddrPort().Port()
}

func answerData(conn net.Conn, name string) {
	defer conn.Close()
	r := resp.NewReader(conn, resp.ServerLimits)
	for {
		v, err := r.Read()
		request := v.Strings()
		if err != nil || len(request) == 0 {
			return
		}
		answer := resp.AppendError(nil, "ERR unknown command")
		switch strings.ToLower(request[0]) {
		case "get":
			answer = resp.AppendBulk(nil, name)
		case "ping":
			answer = resp.AppendSimple(nil, "PONG")
		case "role":
			answer = resp.AppendArray(nil, 1)
			answer = resp.AppendBulk(answer, "master")
		}
		if _, err := conn.Write(answer); err != nil {
			return
		}
	}
}

// TestGoRedisFollowsASwitch uses a client that nobody told about Redkeep.
func TestGoRedisFollowsASwitch(t *testing.T) {
	port := dataServer(t, "h1", "127.0.0.1:0")
	dataServer(t, "h2", fmt.Sprintf("127.0.0.2:%d", port))
	n := orders()
	n.Groups[0].RedisPort = port
	s := stage(t, n, 0, nil)

	for _, protocol := range []int{2, 3} {
		t.Run(fmt.Sprintf("resp%d", protocol), func(t *testing.T) {
			s.switchTo("h1")
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			client := redis.NewFailoverClient(&redis.FailoverOptions{
				MasterName: "orders", SentinelAddrs: []string{s.addr}, Protocol: protocol, MaxRetries: -1,
			})
			defer client.Close()
			if got, err := client.Get(ctx, "who").Result(); err != nil || got != "h1" {
				t.Fatalf("%q, %v", got, err)
			}
			s.paint("the master's lease ran out")
			if got, err := client.Get(ctx, "who").Result(); err != nil || got != "h1" {
				t.Fatalf("%q, %v", got, err)
			}
			s.switchTo("h2")
			for {
				got, err := client.Get(ctx, "who").Result()
				if got == "h2" {
					return
				}
				if ctx.Err() != nil {
					t.Fatalf("the client has not followed: %q, %v", got, err)
				}
			}
		})
	}
}

// TestGoRedisReadsTheLists uses the calls with which clients find replicas and other sentinels.
func TestGoRedisReadsTheLists(t *testing.T) {
	s := stage(t, orders(), 0, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	client := redis.NewSentinelClient(&redis.Options{Addr: s.addr})
	defer client.Close()
	if got, err := client.GetMasterAddrByName(ctx, "orders").Result(); err != nil || strings.Join(got, ":") != "127.0.0.1:6379" {
		t.Errorf("master %q, %v", got, err)
	}
	if _, err := client.GetMasterAddrByName(ctx, "nosuch").Result(); err != redis.Nil {
		t.Errorf("an unknown name: %v", err)
	}
	if got, err := client.Replicas(ctx, "orders").Result(); err != nil || len(got) != 1 || got[0]["ip"] != "127.0.0.2" || got[0]["flags"] != "slave" {
		t.Errorf("replicas %v, %v", got, err)
	}
	if got, err := client.Sentinels(ctx, "orders").Result(); err != nil || len(got) != 2 || got[1]["ip"] != "127.0.0.3" || got[1]["port"] != "26379" {
		t.Errorf("sentinels %v, %v", got, err)
	}
	if got, err := client.Master(ctx, "orders").Result(); err != nil || got["quorum"] != "2" {
		t.Errorf("master %v, %v", got, err)
	}
	if got, err := client.CkQuorum(ctx, "orders").Result(); err != nil || !strings.HasPrefix(got, "OK 3 usable") {
		t.Errorf("ckquorum %q, %v", got, err)
	}
}

// TestGoRedisWithASentinelsPassword is what docs/migrate-from-sentinel.md has clients do that send one: to name the default user.
func TestGoRedisWithASentinelsPassword(t *testing.T) {
	s := stage(t, orders(), 0, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for _, protocol := range []int{2, 3} {
		client := redis.NewSentinelClient(&redis.Options{Addr: s.addr, Username: "default", Password: "of another time", Protocol: protocol, MaxRetries: -1})
		if got, err := client.GetMasterAddrByName(ctx, "orders").Result(); err != nil || strings.Join(got, ":") != "127.0.0.1:6379" {
			t.Errorf("protocol %d: %q, %v", protocol, got, err)
		}
		_ = client.Close()
	}
}
