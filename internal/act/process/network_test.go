package process

import (
	"context"
	"net"
	"net/netip"
	"os"
	"testing"

	"redkeep/internal/stage/namespace"
	"redkeep/internal/stage/need"
)

func TestListensHereTellsNamespacesApart(t *testing.T) {
	var lc net.ListenConfig
	ln, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	port := netip.MustParseAddrPort(ln.Addr().String()).Port()
	if here, err := ListensHere(os.Getpid(), port); err != nil || !here {
		t.Errorf("in its own namespace: %v, %v", here, err)
	}
	if here, err := ListensHere(os.Getpid(), 1); err != nil || here {
		t.Errorf("a port that nobody listens on: %v, %v", here, err)
	}
	if _, err := ListensHere(1<<30, port); err == nil {
		t.Error("no such process, and no error")
	}
	thread, err := namespace.Open()
	if err != nil {
		need.Right(t, "needs network namespaces: ", err)
	}
	defer thread.Close()
	if err := thread.Do(func() {
		if here, err := ListensHere(os.Getpid(), port); err != nil || here {
			t.Errorf("from another namespace: %v, %v", here, err)
		}
	}); err != nil {
		t.Fatal(err)
	}
}
