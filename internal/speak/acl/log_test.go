package acl

import (
	"fmt"
	"testing"
	"time"
)

func TestLog(t *testing.T) {
	l, at := NewLog(DefaultLogLength), time.UnixMilli(1_000_000)
	note := func(object, client string, after time.Duration) {
		at = at.Add(after)
		l.Note(Entry{Reason: DeniedCommand, Object: object, Username: "u", At: at, Client: client})
	}
	note("ping", "first", 0)
	note("info", "", 0)
	note("ping", "second", time.Minute)
	got, err := l.Newest()
	if err != nil || len(got) != 2 || got[0].Object != "ping" || got[0].Count != 2 || got[0].Client != "second" || got[0].Age(at.Add(1500*time.Millisecond)) != 1.5 {
		t.Errorf("%+v, %v", got, err)
	}
	note("ping", "third", time.Minute+time.Millisecond)
	if got, _ = l.Newest("1"); len(got) != 1 || got[0].Count != 1 {
		t.Errorf("%+v", got)
	}
	for i := range 200 {
		note(fmt.Sprint(i), "", 0)
	}
	if all, _ := l.Newest("1000"); len(all) != DefaultLogLength {
		t.Errorf("%d entries", len(all))
	}
	// Only the newest ten are looked through.
	note("190", "", 0)
	note("180", "", 0)
	if got, _ := l.Newest("2"); got[0].Count != 1 || got[1].Count != 2 {
		t.Errorf("%+v", got)
	}
	for count, want := range map[string]int{"0": 0, "-1": 0, "3": 3} {
		if got, err := l.Newest(count); len(got) != want || err != nil {
			t.Errorf("%s: %d, %v", count, len(got), err)
		}
	}
	for _, count := range []string{"x", "", "01", "+1", "1.0"} {
		if _, err := l.Newest(count); err == nil {
			t.Errorf("%q is a number", count)
		}
	}
	if l.Reset(); len(l.entries) != 0 {
		t.Error("it has not forgotten")
	}
	if none := NewLog(0); true {
		none.Note(Entry{})
		if len(none.entries) != 0 {
			t.Error("a log of no entries has one")
		}
	}
}
