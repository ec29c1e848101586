package seal

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
)

// A stream begins with three messages, after which both ends have proven that they know the secret:
//
//	client: introduction
//	server: introduction, proof
//	client: proof, and at once its first frame
//
// An introduction is "RKS", the version, a nonce, the length of the name and the name. Every key is derived from both
// introductions, so a recording of one stream is worth nothing in another.
const (
	nonceSize = 16
	// IntroductionHead is the length in bytes of the part of an introduction that comes before the name.
	IntroductionHead = 4 + nonceSize + 1
	// ProofSize is the length of a proof in bytes.
	ProofSize = tagSize
)

// ErrSecret is that of a stream whose other end does not know the same secret.
var ErrSecret = errors.New("open stream: the other end has another secret; compare the secret on both nodes")

var errIntroduction = errors.New("open stream: the other end does not speak redkeep's protocol; check address and port")

// Introduce appends the introduction of name, with a nonce drawn at random for this stream.
func Introduce(dst []byte, name string, nonce [nonceSize]byte) ([]byte, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	dst = append(dst, 'R', 'K', 'S', version)
	dst = append(dst, nonce[:]...)
	dst = append(dst, byte(len(name)))
	return append(dst, name...), nil
}

// NameLength returns the length in bytes of the name that follows an introduction's head, 1 to MaxName. The head must
// have IntroductionHead bytes.
func NameLength(head []byte) (int, error) {
	if len(head) != IntroductionHead || string(head[:3]) != "RKS" {
		return 0, errIntroduction
	}
	if head[3] != version {
		return 0, fmt.Errorf("open stream: the other end speaks version %d, this one %d; run the same release", head[3], version)
	}
	size := int(head[IntroductionHead-1])
	if size == 0 || size > MaxName {
		return 0, errIntroduction
	}
	return size, nil
}

// Stream is what both ends of a stream derive from the secret and the two introductions.
type Stream struct {
	clientProof, serverProof []byte
	fromClient, fromServer   []byte
}

// NewStream derives a stream's keys from the two whole introductions.
func NewStream(secret, client, server []byte) (*Stream, error) {
	transcript := sha256.New()
	fmt.Fprintf(transcript, "%d %d ", len(client), len(server))
	transcript.Write(client)
	transcript.Write(server)
	root, err := hkdf.Extract(sha256.New, secret, transcript.Sum(nil))
	if err != nil {
		return nil, fmt.Errorf("derive stream keys: %w", err)
	}
	s := &Stream{}
	for _, part := range []struct {
		info string
		size int
		to   *[]byte
	}{
		{"redkeep stream 1 client proof", ProofSize, &s.clientProof},
		{"redkeep stream 1 server proof", ProofSize, &s.serverProof},
		{"redkeep stream 1 client frames", sha256.Size, &s.fromClient},
		{"redkeep stream 1 server frames", sha256.Size, &s.fromServer},
	} {
		if *part.to, err = hkdf.Expand(sha256.New, root, part.info, part.size); err != nil {
			return nil, fmt.Errorf("derive stream keys: %w", err)
		}
	}
	return s, nil
}

// ClientProof returns what the client sends to prove that it knows the secret.
func (s *Stream) ClientProof() []byte { return s.clientProof }

// ServerProof returns what the server sends to prove that it knows the secret.
func (s *Stream) ServerProof() []byte { return s.serverProof }

// CheckClient returns ErrSecret unless proof is the client's.
func (s *Stream) CheckClient(proof []byte) error { return check(s.clientProof, proof) }

// CheckServer returns ErrSecret unless proof is the server's.
func (s *Stream) CheckServer(proof []byte) error { return check(s.serverProof, proof) }

// Client returns the client's two directions: what it writes and what it reads.
func (s *Stream) Client() (*FrameWriter, *FrameReader) {
	return &FrameWriter{key: newKey(s.fromClient)}, &FrameReader{key: newKey(s.fromServer)}
}

// Server returns the server's two directions: what it writes and what it reads.
func (s *Stream) Server() (*FrameWriter, *FrameReader) {
	return &FrameWriter{key: newKey(s.fromServer)}, &FrameReader{key: newKey(s.fromClient)}
}

func check(want, got []byte) error {
	if !hmac.Equal(want, got) {
		return ErrSecret
	}
	return nil
}
