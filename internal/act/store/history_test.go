package store

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

func TestHistoryIsKeptInOrderAndBounded(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	if lines, err := s.History("g"); err != nil || len(lines) != 0 {
		t.Errorf("empty history: %q, %v", lines, err)
	}
	pad := strings.Repeat("x", 1000)
	const count = 900
	for i := range count {
		if i == count/2 {
			s.Close()
			s = open(t, dir)
		}
		if err := s.Append("g", fmt.Sprintf("%d\nof %s", i, pad)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Append("g", strings.Repeat("y", historySize)); !errors.Is(err, ErrTooLong) {
		t.Errorf("too long a line: %v", err)
	}
	if err := s.Append("other", "one"); err != nil {
		t.Fatal(err)
	}
	lines, err := s.History("g")
	if err != nil || len(lines) < historySize/1100 || len(lines) > 2*historySize/1000 {
		t.Fatalf("%d lines, %v", len(lines), err)
	}
	for i, line := range slices.Backward(lines) {
		if want := fmt.Sprintf("%d of %s", count-len(lines)+i, pad); line != want {
			t.Fatalf("line %d: %.20q, want %.20q", i, line, want)
		}
	}
	for _, suffix := range []string{"", ".1"} {
		info, err := os.Stat(s.path("history-", "g") + suffix)
		if err != nil || info.Size() > historySize || info.Mode().Perm() != 0o600 {
			t.Errorf("file%s: %v, %v", suffix, info, err)
		}
	}
	if len(s.Groups()) != 0 {
		t.Errorf("a history made groups %q", s.Groups())
	}
}
