package seal

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
)

// tagSize is the length of an authentication tag in bytes: HMAC-SHA256, cut to half.
const tagSize = 16

// MaxName is the length in bytes of the longest name that a message can carry.
const MaxName = 128

// key authenticates what flows in one direction. It keeps the state of its HMAC, so that a tag costs no allocation;
// two goroutines therefore must not use it at once.
type key struct {
	mac hash.Hash
	sum [sha256.Size]byte
	seq [8]byte
}

func newKey(material []byte) *key {
	return &key{mac: hmac.New(sha256.New, material)}
}

// directionKey derives the key of the datagrams from one node to another. Lengths go before names, so that no two
// pairs of names share a key.
func directionKey(secret []byte, from, to string) (*key, error) {
	if err := checkName(from); err != nil {
		return nil, err
	}
	if err := checkName(to); err != nil {
		return nil, err
	}
	info := fmt.Sprintf("datagram %d %s %d %s", len(from), from, len(to), to)
	material, err := hkdf.Key(sha256.New, secret, []byte("redkeep peer 1"), info, sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("derive key from %s to %s: %w", from, to, err)
	}
	return newKey(material), nil
}

// appendTag appends the tag of (seq, message) to dst, which may be message itself.
func (k *key) appendTag(dst []byte, seq uint64, message []byte) []byte {
	return append(dst, k.tag(seq, message)...)
}

// verify reports whether tag is the tag of (seq, message), in time that does not depend on where they differ.
func (k *key) verify(seq uint64, message, tag []byte) bool {
	return hmac.Equal(k.tag(seq, message), tag)
}

// tag returns a slice that the next call overwrites.
func (k *key) tag(seq uint64, message []byte) []byte {
	k.mac.Reset()
	binary.BigEndian.PutUint64(k.seq[:], seq)
	k.mac.Write(k.seq[:])
	k.mac.Write(message)
	return k.mac.Sum(k.sum[:0])[:tagSize]
}

func checkName(name string) error {
	if name == "" || len(name) > MaxName {
		return fmt.Errorf("use name %.20q: it has %d bytes, names have 1 to %d", name, len(name), MaxName)
	}
	return nil
}
