package reception

import (
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"redkeep/internal/act/sockets"
)

// TestClientsOfThisHost are served at a file, which is their address; nobody asks whether they are refused.
func TestClientsOfThisHost(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	s := stage(t, 1, 0)
	opened := make(chan error, 1)
	var ln *sockets.Listener
	s.loop.Post(func() {
		var err error
		ln, err = ListenLocal(s.loop, path, 0o600, s.face, Options{})
		opened <- err
	})
	if err := <-opened; err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	ask(t, c, "PING\r\n", "+PONG\r\n")
	if _, err := io.WriteString(c, "CLIENT INFO\r\nQUIT\r\n"); err != nil {
		t.Fatal(err)
	}
	info := make([]byte, 4096)
	n, err := c.Read(info)
	if text := string(info[:n]); err != nil || !strings.Contains(text, " addr="+path+":0 laddr="+path+":0 ") || !strings.Contains(text, " flags=U ") {
		t.Errorf("%q, %v", text, err)
	}
	s.loop.Post(func() { ln.Close(); opened <- nil })
	<-opened
}
