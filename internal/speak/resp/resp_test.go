package resp

import (
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

func TestReadValue(t *testing.T) {
	long := strings.Repeat("x", 200_000)
	for wire, want := range map[string]Value{
		"+OK\r\n":                                {Kind: Simple, Text: "OK"},
		"-ERR no\r\n":                            {Kind: Error, Text: "ERR no"},
		":-7\r\n":                                {Kind: Integer, Int: -7},
		"$3\r\na\r\n\r\n":                        {Kind: Bulk, Text: "a\r\n"},
		"$0\r\n\r\n":                             {Kind: Bulk},
		"$-1\r\n":                                {Kind: Bulk, Nil: true},
		"*-1\r\n":                                {Kind: Array, Nil: true},
		"*0\r\n":                                 {Kind: Array, Elems: []Value{}},
		"_\r\n":                                  {Kind: Null, Nil: true},
		"#t\r\n":                                 {Kind: Bool, Int: 1},
		"#f\r\n":                                 {Kind: Bool},
		",1.5\r\n":                               {Kind: Double, Text: "1.5"},
		"(123456789012345678901\r\n":             {Kind: BigNumber, Text: "123456789012345678901"},
		"!5\r\nERR x\r\n":                        {Kind: BulkError, Text: "ERR x"},
		"=7\r\ntxt:abc\r\n":                      {Kind: Verbatim, Text: "abc"},
		"~1\r\n:1\r\n":                           {Kind: Set, Elems: []Value{{Kind: Integer, Int: 1}}},
		"%1\r\n+a\r\n:1\r\n":                     {Kind: Map, Elems: []Value{{Kind: Simple, Text: "a"}, {Kind: Integer, Int: 1}}},
		">2\r\n+message\r\n$-1\r\n":              {Kind: Push, Elems: []Value{{Kind: Simple, Text: "message"}, {Kind: Bulk, Nil: true}}},
		"|1\r\n+ttl\r\n:9\r\n+OK\r\n":            {Kind: Simple, Text: "OK"},
		"*2\r\n*1\r\n:1\r\n-ERR inner\r\n":       {Kind: Array, Elems: []Value{{Kind: Array, Elems: []Value{{Kind: Integer, Int: 1}}}, {Kind: Error, Text: "ERR inner"}}},
		"$200000\r\n" + long + "\r\n":            {Kind: Bulk, Text: long},
		"+" + strings.Repeat("y", 3000) + "\r\n": {Kind: Simple, Text: strings.Repeat("y", 3000)},
	} {
		for name, from := range map[string]io.Reader{
			"whole":  strings.NewReader(wire),
			"pieces": iotest.OneByteReader(strings.NewReader(wire)),
			"halves": iotest.HalfReader(strings.NewReader(wire)),
		} {
			r := NewReader(from, Limits{})
			got, err := r.Read()
			if err != nil {
				t.Errorf("%.40q in %s: %v", wire, name, err)
				continue
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%.40q in %s: %.200s", wire, name, d)
			}
			if _, err := r.Read(); !errors.Is(err, io.EOF) {
				t.Errorf("%.40q in %s: after it %v, want EOF", wire, name, err)
			}
		}
	}
}

func TestReadRefusesWhatIsNoValue(t *testing.T) {
	limits := Limits{Line: 32, Bytes: 64, Elements: 4, Depth: 2}
	for wire, want := range map[string]error{
		"":                                       io.EOF,
		"+OK":                                    io.ErrUnexpectedEOF,
		"$5\r\nab":                               io.ErrUnexpectedEOF,
		"$2\r\nab":                               io.ErrUnexpectedEOF,
		"*2\r\n:1\r\n":                           io.ErrUnexpectedEOF,
		"|0\r\n":                                 io.ErrUnexpectedEOF,
		"+OK\n":                                  ErrMalformed,
		"\r\n":                                   ErrMalformed,
		"hello\r\n":                              ErrMalformed,
		":1x\r\n":                                ErrMalformed,
		"$-2\r\n":                                ErrMalformed,
		"$x\r\n":                                 ErrMalformed,
		"$?\r\n":                                 ErrMalformed,
		"$2\r\nabXX":                             ErrMalformed,
		"=3\r\nabc\r\n":                          ErrMalformed,
		"%-1\r\n":                                ErrMalformed,
		"#x\r\n":                                 ErrMalformed,
		"_x\r\n":                                 ErrMalformed,
		"$65\r\n":                                ErrTooLarge,
		"*5\r\n":                                 ErrTooLarge,
		"%3\r\n":                                 ErrTooLarge,
		"%2000000000\r\n":                        ErrTooLarge,
		"$9999999999\r\n":                        ErrMalformed,
		"*1\r\n*1\r\n*1\r\n:1\r\n":               ErrTooLarge,
		"+" + strings.Repeat("x", 33):            ErrTooLarge,
		strings.Repeat("|0\r\n", 9):              ErrTooLarge,
		"*2\r\n$32\r\n" + long32 + "\r\n$31\r\n": ErrTooLarge,
	} {
		if v, err := NewReader(strings.NewReader(wire), limits).Read(); !errors.Is(err, want) {
			t.Errorf("%q: %v, %v; want %v", wire, v, err, want)
		}
	}
}

const long32 = "01234567890123456789012345678901"

func TestPipelinedValuesNeedOneRead(t *testing.T) {
	r := NewReader(iotest.DataErrReader(strings.NewReader("+A\r\n+B\r\n")), Limits{})
	for _, want := range []string{"A", "B"} {
		if v, err := r.Read(); err != nil || v.Text != want {
			t.Fatalf("%v, %v", v, err)
		}
		if want == "A" && r.Buffered() != 4 {
			t.Errorf("buffered %d", r.Buffered())
		}
	}
}

func TestGrownBufferIsGivenBack(t *testing.T) {
	r := NewReader(strings.NewReader("+"+strings.Repeat("y", 9000)+"\r\n:1\r\n"), Limits{})
	for range 2 {
		if _, err := r.Read(); err != nil {
			t.Fatal(err)
		}
	}
	if r.renew(); len(r.buf) != firstBuffer {
		t.Errorf("buffer of %d bytes is kept", len(r.buf))
	}
}

func TestValueJudgements(t *testing.T) {
	var reply *ReplyError
	if err := (Value{Kind: Error, Text: "READONLY You can't"}).Err(); !errors.As(err, &reply) || reply.Code != "READONLY" {
		t.Errorf("error reply: %v", err)
	}
	if (Value{Kind: Bulk, Text: "ERR"}).Err() != nil {
		t.Error("a bulk is no error")
	}
	if !(Value{Kind: Simple, Text: "OK Already connected"}).IsOK() || (Value{Kind: Simple, Text: "OKAY"}).IsOK() {
		t.Error("IsOK")
	}
	if f := (Value{Kind: Double, Text: "-inf"}).Float(); !math.IsInf(f, -1) {
		t.Errorf("float %v", f)
	}
	got := Value{Elems: []Value{{Kind: Bulk, Text: "a"}, {Kind: Integer, Int: 3}, {Kind: Null, Nil: true}}}.Strings()
	if d := cmp.Diff([]string{"a", "3", ""}, got); d != "" {
		t.Error(d)
	}
}

func TestAppendReplies(t *testing.T) {
	var b []byte
	b = AppendSimple(b, "a\r\nb")
	b = AppendError(b, "ERR x\n")
	b = AppendDouble(b, math.Inf(1))
	b = AppendDouble(b, 0.5)
	b = AppendBool(b, true)
	b = AppendBool(b, false)
	b = AppendMap(b, 0)
	b = AppendSet(b, 0)
	b = AppendPush(b, 0)
	b = AppendNilArray(AppendNilBulk(AppendNull(b)))
	b = AppendVerbatim(b, "v")
	want := "+a  b\r\n-ERR x \r\n,inf\r\n,0.5\r\n#t\r\n#f\r\n%0\r\n~0\r\n>0\r\n_\r\n$-1\r\n*-1\r\n=5\r\ntxt:v\r\n"
	if d := cmp.Diff(want, string(b)); d != "" {
		t.Error(d)
	}
}

func FuzzValueRoundTrip(f *testing.F) {
	for _, seed := range []string{"+OK\r\n", "*2\r\n$-1\r\n:3\r\n", "%1\r\n+a\r\n,nan\r\n", "|1\r\n+a\r\n+b\r\n=4\r\ntxt:\r\n", ">1\r\n#t\r\n"} {
		f.Add([]byte(seed))
	}
	limits := Limits{Line: 1 << 10, Bytes: 16 << 10, Elements: 256, Depth: 8}
	f.Fuzz(func(t *testing.T, wire []byte) {
		v, err := NewReader(strings.NewReader(string(wire)), limits).Read()
		if err != nil {
			return
		}
		again := AppendValue(nil, v)
		got, err := NewReader(iotest.HalfReader(strings.NewReader(string(again))), Limits{}).Read()
		if err != nil {
			t.Fatalf("%q written as %q: %v", wire, again, err)
		}
		// A CR within a line is legal to read and is never written.
		if d := cmp.Diff(clean(v), got); d != "" {
			t.Fatalf("%q written as %q: %s", wire, again, d)
		}
	})
}

// clean replaces the carriage returns that a line may carry.
func clean(v Value) Value {
	switch v.Kind {
	case Simple, Error, BigNumber, Double:
		v.Text = strings.ReplaceAll(v.Text, "\r", " ")
	}
	for i, e := range v.Elems {
		v.Elems[i] = clean(e)
	}
	return v
}
