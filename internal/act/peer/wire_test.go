package peer

import (
	"errors"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"redkeep/internal/speak/seal"
)

// TestFrameThatStopsInTheMidst ends the wait of a subscriber, which has no bound between two frames, once a frame has begun.
func TestFrameThatStopsInTheMidst(t *testing.T) {
	client, server := []byte("client's introduction"), []byte("server's introduction")
	for name, bytes := range map[string]int{"in its head": 1, "after its head": seal.FrameHead} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				stream, err := seal.NewStream([]byte("secret"), client, server)
				if err != nil {
					t.Fatal(err)
				}
				writer, _ := stream.Server()
				frame, err := writer.Append(nil, seal.Part, []byte("a part of an answer"))
				if err != nil {
					t.Fatal(err)
				}
				far, near := net.Pipe()
				defer func() { _, _ = far.Close(), near.Close() }()
				w := newWire(near)
				_, w.reader = stream.Client()
				go func() { // ends with the pipe
					time.Sleep(time.Hour) // no bound before the first byte
					_, _ = far.Write(frame[:bytes])
				}()
				began := time.Now()
				_, _, err = w.readFrame(time.Time{})
				if took := time.Since(began); !errors.Is(err, os.ErrDeadlineExceeded) || took != time.Hour+frameTime {
					t.Errorf("%v after %v", err, took)
				}
			})
		})
	}
}
