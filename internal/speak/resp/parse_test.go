package resp

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
)

// FuzzParseRequest holds what is parsed out of bytes against what a Reader reads of them: the same requests, and the same end.
// The bytes come in two parts, since a request that is cut anywhere must be taken up again.
func FuzzParseRequest(f *testing.F) {
	for _, seed := range []string{
		"*1\r\n$4\r\nPING\r\n", "PING\r\n\r\n\nget 'a b'\r\n", "*2\r\n$3\r\nGET\r\n$1\r\na\r\n*0\r\n*-1\r\nx\n", "*1\r\n+PING\r\n", "*x\r\n", "*1\r\n$-1\r\n",
		"*1\r\n$99999999\r\n", "*1\r\n\r\n", "*1\r\n\n", "\"open\r\n", "*1\r\n$2\r\nabc\r\n", "*1000\r\n", strings.Repeat("x", 200), "*" + strings.Repeat("1", 200),
		"*1\r\n$" + strings.Repeat("1", 200), "*-5\r\nx\n", "*-0\r\n", "*01\r\n$4\r\nPING\r\n", "*2\r\n$04\r\nPINGab$1\r\nxcd", "*2\r\n$4\r\nPINGab$1\r\nxcdPING\n",
	} {
		f.Add([]byte(seed), 3)
	}
	limits := Limits{Line: 100, Bytes: 1000, Elements: 8, Depth: 1}
	f.Fuzz(func(t *testing.T, wire []byte, cut int) {
		if len(wire) > 900 {
			return // what counts towards the limit of bytes differs by the line ends
		}
		cut = min(max(cut, 0), len(wire))
		var words [][]byte
		reader := NewReader(bytes.NewReader(wire), limits)
		for at, end := 0, cut; ; {
			args, n, err := ParseRequest(wire[at:end], words, limits)
			at += n
			if err == nil && len(args) == 0 && end < len(wire) {
				end = len(wire)
				continue
			}
			want, wantErr := reader.ReadRequest()
			var refused, wantRefused *RequestError
			if errors.As(err, &refused) != errors.As(wantErr, &wantRefused) || refused != nil && refused.Text != wantRefused.Text {
				t.Fatalf("%v, the reader: %v", err, wantErr)
			}
			if (wantErr != nil) != (err != nil || len(args) == 0) {
				t.Fatalf("%q, the reader: %q, %v", args, want, wantErr)
			}
			if wantErr != nil {
				return
			}
			if !slices.EqualFunc(args, want, func(a []byte, b string) bool { return string(a) == b }) {
				t.Fatalf("%q, the reader: %q", args, want)
			}
			words = args
		}
	})
}

func TestParsingTakesNoMemory(t *testing.T) {
	wire := []byte("*3\r\n$8\r\nSENTINEL\r\n$23\r\nget-master-addr-by-name\r\n$6\r\norders\r\n")
	words := make([][]byte, 0, 8)
	if n := testing.AllocsPerRun(100, func() { _, _, _ = ParseRequest(wire, words, ServerLimits) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestParsesWhatRedisTakes, and nobody should send: a negative count is no request, and whatever is behind a bulk is its end.
func TestParsesWhatRedisTakes(t *testing.T) {
	for wire, want := range map[string]string{"*-5\r\nPING\r\n": "PING", "*2\r\n$4\r\nPINGXX$1\r\nx\n\n": "PING x"} {
		args, n, err := ParseRequest([]byte(wire), nil, ServerLimits)
		if err != nil || n != len(wire) || string(bytes.Join(args, []byte(" "))) != want {
			t.Errorf("%q: %q, %d bytes, %v", wire, args, n, err)
		}
	}
	for _, wire := range []string{"*-0\r\n", "*01\r\n$4\r\nPING\r\n", "*1\r\n$04\r\nPING\r\n"} {
		if args, _, err := ParseRequest([]byte(wire), nil, ServerLimits); err == nil {
			t.Errorf("%q: %q", wire, args)
		}
	}
}
