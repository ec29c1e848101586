package explain

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"redkeep/internal/words"
)

var update = flag.Bool("update", false, "write the golden file anew")

// codes are the constants of type Code in words, in the source's order.
func codes(t testing.TB) []words.Code {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../../words/codes.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var out []words.Code
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, words.Code(text))
		return true
	})
	return out
}

func TestEveryCodeHasASentence(t *testing.T) {
	all := codes(t)
	if len(all) < 60 {
		t.Fatalf("only %d codes were found", len(all))
	}
	for _, c := range all {
		if sentences[c].says == "" {
			t.Errorf("%q has no sentence", c)
		}
	}
	if len(sentences) != len(all) {
		t.Errorf("%d sentences for %d codes", len(sentences), len(all))
	}
}

// TestSentences compares every sentence, with all values and with none, to the golden file.
func TestSentences(t *testing.T) {
	var b strings.Builder
	for _, c := range codes(t) {
		full := words.Reason{Code: c, Node: "h1", Other: "h2", N: 1234, M: 5678, Text: "nft[812]"}
		bare := words.Reason{Code: c}
		fmt.Fprintf(&b, "%s\n  %s\n  %s\n", c, Sentence(full), Sentence(bare))
	}
	const golden = "testdata/sentences.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), b.String()); d != "" {
		t.Errorf("(-golden +now; go test -update writes it anew):\n%s", d)
	}
	if strings.ContainsAny(b.String(), "{}") {
		t.Error("a place was not filled")
	}
}

func TestTheStyleOfSentences(t *testing.T) {
	for c, s := range sentences {
		if strings.HasSuffix(s.says, ".") || strings.HasSuffix(s.do, ".") || strings.Contains(s.says, ";") {
			t.Errorf("%q: ends with a full stop, or has a semicolon of its own", c)
		}
	}
}

func TestNumbers(t *testing.T) {
	for _, c := range []struct {
		reason words.Reason
		want   string
	}{
		{words.Reason{Code: words.LosesBytes, Node: "a", N: 1, M: 2}, "a's server loses 1 byte that it held beyond where epoch 2 began"},
		{words.Reason{Code: words.LosesBytes, Node: "a", N: 1234567, M: 1000}, "a's server loses 1,234,567 bytes that it held beyond where epoch 1,000 began"},
		{words.Reason{Code: words.GrantHeld, Node: "a", N: 850}, "a holds the lease for 850 ms more"},
		{words.Reason{Code: words.GrantHeld, Node: "a", N: 12_340, Other: "c"}, "a holds the lease for 12.3 s more, says c"},
		{words.Reason{Code: words.GrantHeld, Node: "a", N: 600_000, Text: "why"}, "a holds the lease for 10 min more (why)"},
		{words.Reason{Code: words.GrantHeld, Node: "a", N: -1234}, "a holds the lease for -1,234 ms more"},
		{words.Reason{Code: words.GrantHeld, Node: "a"}, "a holds the lease"},
		{words.Reason{Code: words.HandedOver, Node: "a", Other: "b", N: 21_460}, "a has handed the master over to b in 21.5 ms"},
		{words.Reason{Code: words.NoMajority, M: 3}, "no majority of the voters is heard, only 0 of 3; start the others; or, once you have made sure that they are down for good: redkeep recover --alone --accept-loss"},
		{words.Reason{Code: words.HolderHeard}, "the master's agent is still heard"},
		{words.Reason{Code: "of-tomorrow", Node: "a", N: 5}, "of-tomorrow a 5/0"},
		{words.Reason{}, ""},
	} {
		if got := Sentence(c.reason); got != c.want {
			t.Errorf("%v: %q, want %q", c.reason, got, c.want)
		}
	}
}

func TestSlug(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range codes(t) {
		s := Slug(c)
		if seen[s] || strings.Trim(s, "abcdefghijklmnopqrstuvwxyz-") != "" {
			t.Errorf("%q is taken, or no anchor", s)
		}
		seen[s] = true
	}
}

// FuzzSentence: whatever a reason holds, the sentence is one printable line.
func FuzzSentence(f *testing.F) {
	for _, c := range codes(f) {
		f.Add(string(c), "h1", "h2", int64(1), int64(2), "")
	}
	f.Add("unknown", "", "", int64(-1<<63), int64(1<<62), "\x1b[2J\n\xff{node}")
	f.Fuzz(func(t *testing.T, code, node, other string, n, m int64, text string) {
		if strings.Map(printableOnly, node+other) != node+other {
			return // names come from a checked file
		}
		s := Sentence(words.Reason{Code: words.Code(code), Node: words.Node(node), Other: words.Node(other), N: n, M: m, Text: text})
		if strings.ContainsAny(s, "\n\r\x1b") || !utf8.ValidString(s) {
			t.Errorf("%q", s)
		}
	})
}

func printableOnly(r rune) rune {
	if r > ' ' && r < 127 {
		return r
	}
	return -1
}
