package peer

import (
	"bufio"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"time"

	"redkeep/internal/speak/seal"
)

const (
	// handshakeTime bounds a whole handshake, and so what a caller without the secret can hold.
	handshakeTime = 2 * time.Second
	// frameTime bounds the transfer of one frame, once its first byte has come.
	frameTime = 5 * time.Second
	// idleTime bounds the wait for a caller's next request.
	idleTime = time.Minute
)

// keepAlive finds a host that has gone without a word within some ten seconds, also while nothing is sent.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 5 * time.Second, Interval: 2 * time.Second, Count: 3}

// wire moves the frames of one stream. Reading and writing may go on at once, each by one goroutine.
type wire struct {
	conn   net.Conn
	buffer *bufio.Reader
	writer *seal.FrameWriter
	reader *seal.FrameReader
	in     []byte
	out    []byte
}

func newWire(conn net.Conn) *wire {
	return &wire{conn: conn, buffer: bufio.NewReaderSize(conn, 4096)}
}

// readIntroduction reads the other end's introduction and returns it whole, and the name in it.
func (w *wire) readIntroduction() (whole []byte, name string, err error) {
	whole = make([]byte, seal.IntroductionHead, seal.IntroductionHead+seal.MaxName)
	if _, err := io.ReadFull(w.buffer, whole); err != nil {
		return nil, "", fmt.Errorf("read introduction: %w", err)
	}
	size, err := seal.NameLength(whole)
	if err != nil {
		return nil, "", err
	}
	whole = whole[:seal.IntroductionHead+size]
	if _, err := io.ReadFull(w.buffer, whole[seal.IntroductionHead:]); err != nil {
		return nil, "", fmt.Errorf("read introduction: %w", err)
	}
	return whole, string(whole[seal.IntroductionHead:]), nil
}

func (w *wire) readProof() ([]byte, error) {
	proof := make([]byte, seal.ProofSize)
	if _, err := io.ReadFull(w.buffer, proof); err != nil {
		return nil, fmt.Errorf("read proof: %w", err)
	}
	return proof, nil
}

// introduce makes this end's introduction, with a nonce of its own.
func introduce(name string) ([]byte, error) {
	var nonce [16]byte
	if _, err := rand.Read(nonce[:]); err != nil {
		return nil, fmt.Errorf("draw nonce: %w", err)
	}
	return seal.Introduce(nil, name, nonce)
}

// writeFrame sends one frame. Its deadline is its own, since a reader that takes nothing must not hold the writer.
func (w *wire) writeFrame(kind seal.Kind, payload []byte) (err error) {
	if w.out, err = w.writer.Append(w.out[:0], kind, payload); err != nil {
		return err
	}
	if err := w.conn.SetWriteDeadline(time.Now().Add(frameTime)); err != nil {
		return err
	}
	_, err = w.conn.Write(w.out)
	return err
}

// readFrame waits for a frame until the read deadline that is set, and then for no longer than frameTime for the rest of
// it, or less if less is left (limit; zero for none). The payload is valid until the next call.
func (w *wire) readFrame(limit time.Time) (seal.Kind, []byte, error) {
	if _, err := w.buffer.Peek(1); err != nil {
		return 0, nil, err
	}
	bound := time.Now().Add(frameTime)
	if !limit.IsZero() && limit.Before(bound) {
		bound = limit
	}
	if err := w.within(bound, seal.FrameHead); err != nil {
		return 0, nil, err
	}
	w.in = append(w.in[:0], make([]byte, seal.FrameHead)...)
	if _, err := io.ReadFull(w.buffer, w.in); err != nil {
		return 0, nil, err
	}
	rest, err := w.reader.Rest(w.in)
	if err != nil {
		return 0, nil, err
	}
	if err := w.within(bound, rest); err != nil {
		return 0, nil, err
	}
	w.in = append(w.in, make([]byte, rest)...)
	if _, err := io.ReadFull(w.buffer, w.in[seal.FrameHead:]); err != nil {
		return 0, nil, err
	}
	return w.reader.Open(w.in)
}

// within bounds the wait for some bytes, where they have not come yet.
func (w *wire) within(bound time.Time, bytes int) error {
	if bytes <= w.buffer.Buffered() {
		return nil
	}
	return w.conn.SetReadDeadline(bound)
}
