package seal

import (
	"bytes"
	"errors"
	"testing"
)

// streams derives both ends' view of one stream.
func streams(t testing.TB, clientSecret, serverSecret []byte) (client, server *Stream) {
	t.Helper()
	ci, err := Introduce(nil, "cli", [16]byte{1})
	if err != nil {
		t.Fatal(err)
	}
	si, err := Introduce(nil, "a", [16]byte{2})
	if err != nil {
		t.Fatal(err)
	}
	if client, err = NewStream(clientSecret, ci, si); err != nil {
		t.Fatal(err)
	}
	if server, err = NewStream(serverSecret, ci, si); err != nil {
		t.Fatal(err)
	}
	return client, server
}

func TestHandshakeProvesTheSecret(t *testing.T) {
	client, server := streams(t, secret, secret)
	if err := errors.Join(client.CheckServer(server.ServerProof()), server.CheckClient(client.ClientProof())); err != nil {
		t.Fatal(err)
	}
	if err := server.CheckClient(server.ServerProof()); !errors.Is(err, ErrSecret) {
		t.Error("the server's own proof, sent back, was taken")
	}
	stranger, _ := streams(t, []byte("another"), secret)
	if err := server.CheckClient(stranger.ClientProof()); !errors.Is(err, ErrSecret) {
		t.Error("another secret was taken")
	}
	if err := server.CheckClient(nil); !errors.Is(err, ErrSecret) {
		t.Error("no proof was taken")
	}
}

func TestFramesPassInOrderAndOnce(t *testing.T) {
	client, server := streams(t, secret, secret)
	w, own := client.Client()
	_, r := server.Server()
	var frames [][]byte
	for _, payload := range []string{"one", "", "three"} {
		frame, err := w.Append(nil, Request, []byte(payload))
		if err != nil {
			t.Fatal(err)
		}
		frames = append(frames, frame)
	}
	if _, _, err := r.Open(frames[1]); !errors.Is(err, ErrFrame) {
		t.Error("a frame was taken before its turn")
	}
	if _, _, err := own.Open(frames[0]); !errors.Is(err, ErrFrame) {
		t.Error("a reflected frame was taken")
	}
	for i, want := range []string{"one", "", "three"} {
		kind, payload, err := r.Open(frames[i])
		if err != nil || kind != Request || string(payload) != want {
			t.Fatalf("%d: %v %q %v", i, kind, payload, err)
		}
		if _, _, err := r.Open(frames[i]); !errors.Is(err, ErrFrame) {
			t.Error("a frame was taken twice")
		}
	}
}

func TestFrameBytesAndBounds(t *testing.T) {
	client, server := streams(t, secret, secret)
	w, _ := client.Client()
	_, r := server.Server()
	frame, err := w.Append(nil, Part, []byte("hi"))
	if err != nil || !bytes.HasPrefix(frame, []byte{0, 0, 0, 2, 2, 'h', 'i'}) {
		t.Fatalf("%x, %v", frame, err)
	}
	for i := range frame {
		bad := bytes.Clone(frame)
		bad[i] ^= 1
		if _, _, err := r.Open(bad); !errors.Is(err, ErrFrame) {
			t.Fatalf("byte %d changed, and taken", i)
		}
		if _, _, err := r.Open(frame[:i]); !errors.Is(err, ErrFrame) {
			t.Fatalf("cut to %d, and taken", i)
		}
	}
	if _, err := w.Append(nil, Part, make([]byte, MaxPayload+1)); err == nil {
		t.Error("too long a payload was sealed")
	}
	for head, ok := range map[string]bool{"\x00\x10\x00\x00\x01": true, "\x00\x10\x00\x01\x01": false,
		"\xff\xff\xff\xff\x01": false, "\x00\x00\x00\x00\x00": false, "\x00\x00\x00\x00\x05": false, "": false} {
		if _, err := r.Rest([]byte(head)); (err == nil) != ok {
			t.Errorf("head %x: %v", head, err)
		}
	}
}

func FuzzIntroduction(f *testing.F) {
	whole, err := Introduce(nil, "node", [16]byte{7})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Fuzz(func(t *testing.T, data []byte) {
		head := data[:min(len(data), IntroductionHead)]
		size, err := NameLength(head)
		if err != nil || len(data) != IntroductionHead+size {
			return
		}
		again, err := Introduce(nil, string(data[IntroductionHead:]), [16]byte(data[4:20]))
		if err != nil || !bytes.Equal(again, data) {
			t.Fatalf("%x became %x, %v", data, again, err)
		}
	})
}

func FuzzOpenFrame(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x00\x01aaaaaaaaaaaaaaaa"))
	f.Fuzz(func(t *testing.T, frame []byte) {
		_, server := streams(t, secret, secret)
		_, r := server.Server()
		if _, _, err := r.Open(frame); err == nil {
			t.Fatal("forged")
		}
	})
}
