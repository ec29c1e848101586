package resp

import (
	"bytes"
	"errors"
	"reflect"
	"testing"
)

func TestParseValueInPieces(t *testing.T) {
	whole := []byte("*3\r\n:1\r\n$1\r\n*\r\n*2\r\n+OK\r\n$-1\r\n")
	want := Value{Kind: Array, Elems: []Value{
		{Kind: Integer, Int: 1}, {Kind: Bulk, Text: "*"}, {Kind: Array, Elems: []Value{{Kind: Simple, Text: "OK"}, {Kind: Bulk, Nil: true}}},
	}}
	for i := range whole {
		if _, n, err := ParseValue(whole[:i], Limits{}); n != 0 || err != nil {
			t.Fatalf("%q: %d, %v", whole[:i], n, err)
		}
	}
	v, n, err := ParseValue(append(whole, "+PONG\r\n"...), Limits{})
	if err != nil || n != len(whole) || !reflect.DeepEqual(v, want) {
		t.Fatalf("%+v, %d, %v", v, n, err)
	}
}

func TestParseValueRefuses(t *testing.T) {
	for text, want := range map[string]error{
		"\r\n": ErrMalformed, "x\r\n": ErrMalformed, "$x\r\n": ErrMalformed, "$1\r\nabcd": ErrMalformed, ":x\r\n": ErrMalformed, "+a\n": ErrMalformed,
		"$99999\r\n": ErrTooLarge, "*999\r\n": ErrTooLarge,
	} {
		if _, _, err := ParseValue([]byte(text), Limits{Bytes: 1000, Elements: 10}); !errors.Is(err, want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// FuzzParseValue checks that what is found is what a Reader reads, however the bytes came.
func FuzzParseValue(f *testing.F) {
	for _, seed := range []string{"+PONG\r\n", "*2\r\n$1\r\na\r\n:5\r\n", "-ERR x\r\n", "$-1\r\n", "*-1\r\n", "*1\r\n*1\r\n*0\r\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		limits := Limits{Line: 64, Bytes: 1 << 10, Elements: 32, Depth: 4}
		v, n, err := ParseValue(b, limits)
		if err != nil || n == 0 {
			return
		}
		if n > len(b) {
			t.Fatalf("took %d of %d bytes", n, len(b))
		}
		read, err := NewReader(bytes.NewReader(b[:n]), Limits{Line: 64, Bytes: 1 << 12, Elements: 64, Depth: 8}).Read()
		if err != nil || !reflect.DeepEqual(clean(v), clean(read)) {
			t.Fatalf("%q: %+v, a Reader has %+v, %v", b[:n], v, read, err)
		}
	})
}
