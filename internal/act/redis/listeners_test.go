package redis

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestListenersAsTheServerSays(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "redis.sock")
	s := startServer(t, "unixsocket "+socket, "unixsocketperm 777", "requirepass hush")
	ask := func(password string) (Listeners, error) {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		return New(Config{Addr: s.addr(), Password: password}).Listeners(ctx)
	}
	l, err := ask("hush")
	if err != nil || !slices.Equal(l.Ports, []uint16{s.addr().Port()}) || l.Socket != socket || !l.SocketOpen || !l.ReadOnly || l.PID != 0 {
		t.Errorf("%+v, %v", l, err)
	}
	if err := os.Chmod(socket, 0o755); err != nil {
		t.Fatal(err)
	}
	if l, err = ask("hush"); err != nil || l.SocketOpen {
		t.Errorf("nobody else may connect, and yet: %+v, %v", l, err)
	}
	if _, err := ask(""); err == nil || !strings.Contains(err.Error(), "allow the agent's user CONFIG GET") {
		t.Errorf("without the password: %v", err)
	}
}

func TestListenersRead(t *testing.T) {
	for name, c := range map[string]struct {
		values map[string]string
		want   Listeners
		bad    bool
	}{
		"both":       {map[string]string{"port": "6379", "tls-port": "6390", "slave-read-only": "yes"}, Listeners{Ports: []uint16{6379, 6390}, ReadOnly: true}, false},
		"TLS alone":  {map[string]string{"port": "0", "tls-port": "6390"}, Listeners{Ports: []uint16{6390}}, false},
		"before 6.0": {map[string]string{"port": "6379"}, Listeners{Ports: []uint16{6379}}, false},
		"elsewhere":  {map[string]string{"port": "1", "unixsocket": "/nowhere/s", "unixsocketperm": "700"}, Listeners{Ports: []uint16{1}, Socket: "/nowhere/s", SocketOpen: true}, false},
		"nonsense":   {map[string]string{}, Listeners{}, true},
	} {
		got, err := readListeners(c.values)
		if (err != nil) != c.bad || err == nil && (!slices.Equal(got.Ports, c.want.Ports) || got.SocketOpen != c.want.SocketOpen || got.ReadOnly != c.want.ReadOnly) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}
