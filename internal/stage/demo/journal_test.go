package demo

import (
	"bytes"
	"io"
	"testing"
	"time"

	"redkeep/internal/words"
)

func TestJournalReadsWhatAgentsLog(t *testing.T) {
	j := newJournal()
	w := j.of("h2")
	// Output comes in pieces of any size, with lines of other kinds between.
	log := "time=2026-01-02T03:04:05.000006Z level=INFO msg=elected group=orders what=\"h2 was elected in epoch 2; \\\"well\\\"\"\n" +
		"time=2026-01-02T03:04:05.1Z level=WARN msg=\"order failed\" group=orders err=\"a = b\"\n" +
		"no such line\n" +
		"time=2026-01-02T03:04:06Z level=INFO msg=released group=orders what=h1\ntime=2026"
	for i := range len(log) {
		if _, err := io.WriteString(w, log[i:i+1]); err != nil {
			t.Fatal(err)
		}
	}
	begin := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	got := j.since(begin)
	want := []entry{
		{begin.Add(6 * time.Microsecond), "h2", words.Elected, `h2 was elected in epoch 2; "well"`},
		{begin.Add(time.Second), "h2", words.Released, "h1"},
	}
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("%+v", got)
	}
	if len(j.since(begin.Add(time.Minute))) != 0 {
		t.Error("entries before the instant")
	}
}

func TestTimelineIsInOrderAndWithoutAdvice(t *testing.T) {
	var out bytes.Buffer
	s := &story{page: page{out: &out}, site: &site{journal: newJournal()}}
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	line := &timeline{story: s, fault: moment{wall: at, boot: 1000}}
	s.journal.entries = []entry{
		{at.Add(5 * time.Millisecond), "h2", words.Elected, "h2 was elected; be glad"},
		{at.Add(time.Millisecond), "h1", words.Released, "h1 let go"},
		{at.Add(time.Millisecond), "h1", words.VotedAlready, "of no interest"},
		{at.Add(time.Second), "h3", words.Following, "too late"},
	}
	line.note(1000+3_000_000, "client", "waits", "for a master")
	line.flush(100 * time.Millisecond)
	line.flush(100 * time.Millisecond)
	want := `      1.0 ms  h1        released      h1 let go
      3.0 ms  client    waits         for a master
      5.0 ms  h2        voted         h2 was elected
`
	if out.String() != want {
		t.Errorf("got\n%s", out.String())
	}
}
