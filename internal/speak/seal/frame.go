package seal

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// MaxPayload is the length in bytes of the longest payload of a stream's frame: 1 MiB.
const MaxPayload = 1 << 20

// FrameHead is the length of a frame's head in bytes: four of payload length, one of kind. The payload and a tag follow.
// The tag covers the number of the frame in its direction, so a frame that was dropped, moved or repeated breaks the
// stream.
const FrameHead = 5

// Kind says what a frame is.
type Kind byte

// The kinds of frames. A request is answered by any number of parts and then by one end or failure.
const (
	Request Kind = 1
	Part    Kind = 2
	End     Kind = 3
	Failure Kind = 4
)

// ErrFrame is that of a frame which is too long, of an unknown kind, or has the wrong tag. The stream is then of no
// further use.
var ErrFrame = errors.New("read frame: damaged or forged; the connection has to be closed")

// FrameWriter seals one direction of a stream. It belongs to one goroutine at a time.
type FrameWriter struct {
	key   *key
	count uint64
}

// Append appends the next frame to dst. A payload longer than MaxPayload is an error, and uses no number.
func (w *FrameWriter) Append(dst []byte, kind Kind, payload []byte) ([]byte, error) {
	if len(payload) > MaxPayload {
		return dst, fmt.Errorf("write frame: payload has %d bytes, the limit is %d", len(payload), MaxPayload)
	}
	start := len(dst)
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(payload)))
	dst = append(dst, byte(kind))
	dst = append(dst, payload...)
	w.count++
	return w.key.appendTag(dst, w.count, dst[start:]), nil
}

// FrameReader opens one direction of a stream. It belongs to one goroutine at a time.
type FrameReader struct {
	key   *key
	count uint64
}

// Rest returns how many bytes follow a frame's head, at most MaxPayload and a tag. The head must have FrameHead bytes.
func (r *FrameReader) Rest(head []byte) (int, error) {
	if len(head) != FrameHead {
		return 0, ErrFrame
	}
	size := binary.BigEndian.Uint32(head)
	if kind := Kind(head[4]); size > MaxPayload || kind < Request || kind > Failure {
		return 0, ErrFrame
	}
	return int(size) + tagSize, nil
}

// Open judges a whole frame, head included. The payload shares its memory.
func (r *FrameReader) Open(frame []byte) (Kind, []byte, error) {
	if len(frame) < FrameHead+tagSize {
		return 0, nil, ErrFrame
	}
	rest, err := r.Rest(frame[:FrameHead])
	if err != nil || rest != len(frame)-FrameHead {
		return 0, nil, ErrFrame
	}
	end := len(frame) - tagSize
	if !r.key.verify(r.count+1, frame[:end], frame[end:]) {
		return 0, nil, ErrFrame
	}
	r.count++
	return Kind(frame[4]), frame[FrameHead:end], nil
}
