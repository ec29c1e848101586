package resp

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
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

// TestParseRequest gets a stream byte by byte.
func TestParseRequest(t *testing.T) {
	wire := "\r\n*0\r\n*-1\r\n*-5\r\n*-99999999999\r\nPING\r\nset k \"a \\x41\\n\\\"\" 'it\\'s'\n*2\r\n$3\r\nGET\r\n$4\r\na\r\nb\r\n   \r\nQUIT\r\n"
	want := [][]string{{"PING"}, {"set", "k", "a A\n\"", "it's"}, {"GET", "a\r\nb"}, {"QUIT"}}
	var got [][]string
	at := 0
	for end := range len(wire) + 1 {
		args, n, err := ParseRequest([]byte(wire[at:end]), nil, ServerLimits)
		if err != nil {
			t.Fatalf("%q: %v", wire[at:end], err)
		}
		if at += n; len(args) > 0 {
			got = append(got, texts(args))
		}
	}
	if d := cmp.Diff(want, got); d != "" || at != len(wire) {
		t.Errorf("%d of %d bytes: %s", at, len(wire), d)
	}
}

// TestParseRequestRefuses what no more bytes would make good, and waits for the rest of what they may.
func TestParseRequestRefuses(t *testing.T) {
	for wire, want := range map[string]error{
		"set \"a\r\n":                        ErrMalformed,
		"set \"a\"b\r\n":                     ErrMalformed,
		"*1\r\n:1\r\n":                       ErrMalformed,
		"*-0\r\n":                            ErrMalformed,
		"*+1\r\n$4\r\nPING\r\n":              ErrMalformed,
		"*01\r\n$4\r\nPING\r\n":              ErrMalformed,
		"*1\r\n$04\r\nPING\r\n":              ErrMalformed,
		"*1\r\n$-1\r\n":                      ErrMalformed,
		"*1025\r\n":                          ErrTooLarge,
		"*1\r\n$70000\r\n":                   ErrTooLarge,
		strings.Repeat("a ", 1025) + "\r\n":  ErrTooLarge,
		strings.Repeat("a", 5000) + "\r\n":   ErrTooLarge,
		"*1\r\n" + strings.Repeat("a", 5000): ErrTooLarge,
		"*2\r\n$4\r\nPING\r\n":               nil,
		"*1\r\n$4\r\nPI":                     nil,
		"*1\r\n$4\r\nPING\r":                 nil,
		"GET / HTTP":                         nil,
	} {
		args, n, err := ParseRequest([]byte(wire), nil, ServerLimits)
		if !errors.Is(err, want) || len(args) > 0 || n > 0 {
			t.Errorf("%.40q: %q, %d bytes, %v; want %v", wire, args, n, err, want)
		}
		if refused := (*RequestError)(nil); want != nil && !errors.As(err, &refused) {
			t.Errorf("%.40q: %v can't be told to a client", wire, err)
		}
	}
}

func FuzzRequestRoundTrip(f *testing.F) {
	for _, seed := range []string{"PING\r\n", "*1\r\n$4\r\nPING\r\n", "a \"b\\x00\" 'c'\n", "*0\r\n\r\nx\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, wire []byte) {
		args, _, err := ParseRequest(wire, nil, ServerLimits)
		if err != nil || len(args) == 0 {
			return
		}
		again := AppendCommand(nil, texts(args)...)
		got, n, err := ParseRequest(again, nil, Limits{})
		if err != nil || n != len(again) {
			t.Fatalf("%q: %d bytes, %v", again, n, err)
		}
		if d := cmp.Diff(args, got); d != "" {
			t.Fatal(d)
		}
	})
}

// texts are the arguments of a request as strings.
func texts(args [][]byte) (all []string) {
	for _, a := range args {
		all = append(all, string(a))
	}
	return all
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
