package certfile

import (
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"redkeep/internal/stage/authority"
)

// TestAPipeIsNoKey: nobody waits for who would write into it, and what was good stays.
func TestAPipeIsNoKey(t *testing.T) {
	dir := t.TempDir()
	a, err := authority.New("a test's")
	if err != nil {
		t.Fatal(err)
	}
	cert, key, err := a.Issue(dir, "own", authority.Certificate{})
	if err != nil {
		t.Fatal(err)
	}
	var p Pair
	first, err := p.Newest(cert, key, func(text string) { t.Error(text) })
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(key, 0o600); err != nil {
		t.Fatal(err)
	}
	ended := make(chan string, 1)
	go func() {
		why := ""
		if now, err := p.Newest(cert, key, func(text string) { why = text }); err != nil || now != first {
			why = "another one"
		}
		ended <- why
	}()
	select {
	case why := <-ended:
		if !strings.Contains(why, "not a regular file") {
			t.Error(why)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("it waits for the pipe")
	}
}
