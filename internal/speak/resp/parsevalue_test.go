package resp

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"strings"
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

// TestParseValueCountsAll: the limits are one value's, and not each array's and each bulk's.
func TestParseValueCountsAll(t *testing.T) {
	limits := Limits{Line: 64, Bytes: 200, Elements: 20, Depth: 4}
	for name, text := range map[string]string{
		"arrays of arrays": "*10\r\n" + strings.Repeat("*10\r\n", 10), "bulks": "*3\r\n" + strings.Repeat("$90\r\n"+strings.Repeat("x", 90)+"\r\n", 3),
		"lines": "*5\r\n" + strings.Repeat("+"+strings.Repeat("x", 50)+"\r\n", 5), "depth": strings.Repeat("*1\r\n", 5),
	} {
		if _, _, err := ParseValue([]byte(text), limits); !errors.Is(err, ErrTooLarge) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := NewReader(strings.NewReader(text), limits).Read(); !errors.Is(err, ErrTooLarge) {
			t.Errorf("%s, a Reader: %v", name, err)
		}
	}
}

// TestPiecesTakeMemoryOnce: who sends an answer byte by byte has it read once and not as often.
func TestPiecesTakeMemoryOnce(t *testing.T) {
	const elements = 1000
	whole := []byte("*1000\r\n" + strings.Repeat("$5\r\nabcde\r\n", elements))
	got := testing.AllocsPerRun(1, func() {
		var p ValueParser
		for i := range whole {
			if _, n, err := p.Next(whole[:i], Limits{}); n != 0 || err != nil {
				t.Fatalf("%d of %d bytes: %d, %v", i, len(whole), n, err)
			}
		}
		if v, n, err := p.Next(whole, Limits{}); n != len(whole) || err != nil || len(v.Elems) != elements {
			t.Fatalf("%d, %v", n, err)
		}
	})
	if got > elements+50 {
		t.Errorf("%v allocations for %d texts", got, elements)
	}
}

// FuzzParseValue checks that what is found is what a Reader with the same limits reads, that what is too large is so for both, and that
// it is found however the bytes come.
func FuzzParseValue(f *testing.F) {
	for _, seed := range []string{
		"+PONG\r\n", "*2\r\n$1\r\na\r\n:5\r\n", "-ERR x\r\n", "$-1\r\n", "*-1\r\n", "*1\r\n*1\r\n*0\r\n", "*30\r\n*30\r\n", "*1\r\n$9999\r\n",
		"*2\r\n*0\r\n*2\r\n+a\r\n*1\r\n$-1\r\n+b\r\n", "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n", "*2\r\n$600\r\n" + strings.Repeat("x", 600) + "\r\n$600\r\n",
	} {
		f.Add([]byte(seed), 3)
	}
	f.Fuzz(func(t *testing.T, b []byte, piece int) {
		limits := Limits{Line: 64, Bytes: 1 << 10, Elements: 32, Depth: 4}
		v, n, err := ParseValue(b, limits)
		piece = min(max(piece, 1), len(b)+1)
		inPieces, end := ValueParser{}, 0
		for end < len(b) {
			end = min(end+piece, len(b))
			pv, pn, perr := inPieces.Next(b[:end], limits)
			if pn == 0 && perr == nil && end < len(b) {
				continue
			}
			if pn != n || (perr == nil) != (err == nil) || !reflect.DeepEqual(pv, v) {
				t.Fatalf("%q by %d: %+v, %d, %v; at once %+v, %d, %v", b, piece, pv, pn, perr, v, n, err)
			}
			break
		}
		read, readErr := NewReader(bytes.NewReader(b), limits).Read()
		switch {
		case err == nil && n == 0:
			if !errors.Is(readErr, io.ErrUnexpectedEOF) && !errors.Is(readErr, io.EOF) {
				t.Fatalf("%q is not whole; a Reader has %+v, %v", b, read, readErr)
			}
		case errors.Is(err, ErrTooLarge) != errors.Is(readErr, ErrTooLarge) && !errors.Is(err, ErrMalformed):
			t.Fatalf("%q: %v, a Reader: %v", b, err, readErr)
		case err == nil && (n > len(b) || readErr != nil || !reflect.DeepEqual(clean(v), clean(read))):
			t.Fatalf("%q: %+v, %d, a Reader has %+v, %v", b, v, n, read, readErr)
		}
	})
}
