package main

import (
	"errors"
	"strings"
	"testing"
)

func TestFramesOfAPipeAreApart(t *testing.T) {
	var b strings.Builder
	s := openScreen(&b, false)
	for _, f := range []string{"a\nb\n\n", "c\nd"} {
		if err := s.show([]byte(f)); err != nil {
			t.Fatal(err)
		}
	}
	s.close()
	if b.String() != "a\nb\n\nc\nd\n" {
		t.Errorf("%q", b.String())
	}
}

func TestDocumentsAreOneToALine(t *testing.T) {
	var b strings.Builder
	s := openScreen(&b, false)
	for range 2 {
		if err := s.show([]byte(`{"version":1}`)); err != nil {
			t.Fatal(err)
		}
	}
	if b.String() != "{\"version\":1}\n{\"version\":1}\n" {
		t.Errorf("%q", b.String())
	}
}

func TestAFrameOnATerminal(t *testing.T) {
	var b strings.Builder
	s := openScreen(&b, true)
	if err := s.show([]byte("\x1b[1mone\x1b[0m\ntwo\n")); err != nil {
		t.Fatal(err)
	}
	s.close()
	want := enterScreen + home + "\x1b[1mone\x1b[0m" + clearLine + "\r\ntwo" + clearLine + clearBelow + leaveScreen + "\x1b[1mone\x1b[0m\ntwo\n"
	if b.String() != want {
		t.Errorf("%q", b.String())
	}
}

func TestAFrameDoesNotScroll(t *testing.T) {
	long := strings.Repeat("x", 25) // three rows of ten
	for name, c := range map[string]struct {
		frame string
		rows  int
		want  string
	}{
		"fits":          {"a\n" + long + "\n", 4, "a|" + long},
		"one too many":  {"a\n" + long + "\nb\n", 4, "a|" + more},
		"exactly":       {"a\nb\nc\n", 3, "a|b|c"},
		"a small one":   {"a\nb\nc\n", 2, "a|" + more},
		"colours count": {"\x1b[31m" + long[:10] + "\x1b[0m\nb\n", 2, "\x1b[31m" + long[:10] + "\x1b[0m|b"},
		"letters too":   {"ééééééééé…\nb\n", 2, "ééééééééé…|b"},
	} {
		got := strings.NewReplacer(home, "", clearLine, "", clearBelow, "", "\r\n", "|").Replace(string(inPlace([]byte(c.frame), c.rows, 10)))
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestAnOutputThatEndsIsTold(t *testing.T) {
	if err := openScreen(broken{}, false).show([]byte("a")); !errors.Is(err, errBroken) {
		t.Errorf("%v", err)
	}
}

var errBroken = errors.New("broken pipe")

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errBroken }
