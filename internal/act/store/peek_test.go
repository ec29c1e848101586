package store

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestPeekSeesWhatIsSavedBesideARunningAgent(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	if _, err := Peek(dir, "orders"); !errors.Is(err, ErrNone) {
		t.Errorf("no directory: %v", err)
	}
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if _, err := Peek(dir, "orders"); !errors.Is(err, ErrNone) {
		t.Errorf("no record: %v", err)
	}
	for _, text := range []string{"one", "two", "three"} {
		if err := s.Save("orders", []byte(text)); err != nil {
			t.Fatal(err)
		}
		if got, err := Peek(dir, "orders"); err != nil || string(got) != text {
			t.Errorf("saved %s, saw %s, %v", text, got, err)
		}
	}
	session := s.Session()
	path := s.path("group-", "orders")
	if err := os.WriteFile(path, make([]byte, 2*groupSlotSize), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Peek(dir, "orders"); !errors.Is(err, ErrUnreadable) {
		t.Errorf("damaged: %v", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := Peek(dir, "orders"); !errors.Is(err, ErrUnreadable) {
		t.Errorf("deleted: %v", err)
	}
	if s.Session() != session {
		t.Error("looking has begun a session")
	}
}
