package script

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"redkeep/internal/words"
)

const second = words.Instant(time.Second)

// told joins actions as a scenario shows them.
func told(actions []Action) string {
	var lines []string
	for _, a := range actions {
		lines = append(lines, a.String())
	}
	return strings.Join(lines, "; ")
}

func want(t *testing.T, got []Action, text string) {
	t.Helper()
	if told(got) != text {
		t.Errorf("got %q, want %q", told(got), text)
	}
}

// TestRetries: ten runs, 30 s doubling between them, then an error. The payloads are those of a real redis-sentinel.
func TestRetries(t *testing.T) {
	q, at := New(Defaults()), second
	q.Add("/mail.sh", "+sdown", "master m 10.0.0.1 6379")
	pause := 30 * time.Second
	for run := 1; run <= Runs; run++ {
		if q.Wake() > at {
			t.Fatalf("run %d: wakes at %v, it is %v", run, q.Wake(), at)
		}
		want(t, q.Tick(at), "start 1: /mail.sh +sdown master m 10.0.0.1 6379")
		want(t, q.Started(1, 100+run), fmt.Sprintf("+script-child %d", 100+run))
		signal, code, how := 0, 1, "1 0"
		if run%2 == 0 {
			signal, code, how = 9, 0, "0 9"
		}
		end := q.Exited(at, 1, signal, code)
		if run == Runs {
			want(t, end, fmt.Sprintf("-script-child %d %s; -script-error /mail.sh %d %d", 100+run, how, signal, code))
			break
		}
		want(t, end, fmt.Sprintf("-script-child %d %s", 100+run, how))
		if p := q.Pending(at.Add(time.Second))[0]; p.Running || p.PID != 0 || p.Runs != run || p.Time != pause-time.Second {
			t.Errorf("run %d: waits as %+v", run, p)
		}
		want(t, q.Tick(at.Add(pause-1)), "")
		at = at.Add(pause)
		pause *= 2
	}
	if q.Len() != 0 || q.Running() != 0 || q.Wake() != words.Never {
		t.Errorf("left: %d, running %d, wakes %v", q.Len(), q.Running(), q.Wake())
	}
}

func TestFinalEnds(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(q *Queue) []Action
		want string
	}{
		"done":         {func(q *Queue) []Action { return q.Exited(0, 1, 0, 0) }, "-script-child 7 0 0"},
		"other code":   {func(q *Queue) []Action { return q.Exited(0, 1, 0, 3) }, "-script-child 7 3 0; -script-error /x 0 3"},
		"not executed": {func(q *Queue) []Action { return q.Exited(0, 1, 0, NotExecuted) }, "-script-child 7 2 0; -script-error /x 0 2"},
	} {
		q := New(Defaults())
		q.Add("/x")
		q.Tick(0)
		q.Started(1, 7)
		if got := told(c.end(q)); got != c.want || q.Len() != 0 {
			t.Errorf("%s: got %q, %d left", name, got, q.Len())
		}
	}
}

// TestLimitKills: more than the limit, not exactly it; once; and the limit counts from where it is now.
func TestLimitKills(t *testing.T) {
	q := New(Defaults())
	q.Add("/x")
	q.Tick(0)
	want(t, q.Tick(100*second), "")
	q.Started(1, 7)
	if q.Wake() > 100*second {
		t.Errorf("a process that comes late is seen to at %v", q.Wake())
	}
	q.Set(Settings{Runtime: 200 * time.Second, RetryDelay: time.Second})
	want(t, q.Tick(200*second), "")
	if q.Wake() != 200*second+1 {
		t.Errorf("wakes at %v", q.Wake())
	}
	want(t, q.Tick(200*second+1), "-script-timeout /x 7; kill 1")
	want(t, q.Tick(300*second), "")
	want(t, q.Exited(300*second, 1, 9, 0), "-script-child 7 0 9")
	want(t, q.Tick(301*second), "start 1: /x")
	want(t, q.Unstarted(302*second, 1), "-script-error /x 99 0")
	if q.Wake() != 304*second {
		t.Errorf("after a run that had no process, wakes at %v", q.Wake())
	}
}

// TestSixteenAtOnce: in the order of their coming, and the next when one has ended.
func TestSixteenAtOnce(t *testing.T) {
	q := New(Defaults())
	for i := 1; i <= 20; i++ {
		q.Add("/x", fmt.Sprint(i))
	}
	if n := len(q.Tick(0)); n != AtOnce || q.Running() != AtOnce || q.Wake() != words.Never {
		t.Fatalf("%d began, %d run, wakes %v", n, q.Running(), q.Wake())
	}
	want(t, q.Tick(1), "")
	q.Exited(1, 5, 0, 0)
	if q.Wake() > 1 {
		t.Errorf("a free place is seen to at %v", q.Wake())
	}
	want(t, q.Tick(1), "start 17: /x 17")
}

// TestFullQueueForgetsTheOldestThatWaits: a script that runs is never forgotten, and one that waits for another run may be.
func TestFullQueueForgetsTheOldestThatWaits(t *testing.T) {
	q := New(Defaults())
	for i := 1; i <= Limit; i++ {
		q.Add("/x", fmt.Sprint(i))
	}
	q.Tick(0)
	q.Exited(0, 3, 0, 1)
	q.Add("/x", "new")
	args := func() (out []string) {
		for _, p := range q.Pending(0) {
			out = append(out, p.Argv[1])
		}
		return out
	}
	if a := args(); len(a) != Limit || slices.Contains(a, "3") || a[0] != "1" || a[Limit-1] != "new" {
		t.Errorf("queue: %v", a)
	}
	q.Add("/x", "newer")
	if a := args(); len(a) != Limit || slices.Contains(a, "17") || !slices.Contains(a, "16") {
		t.Errorf("queue: %v", a)
	}
}

// TestHugeDelayStaysAhead: SENTINEL DEBUG takes any number.
func TestHugeDelayStaysAhead(t *testing.T) {
	q := New(Settings{Runtime: math.MaxInt64, RetryDelay: math.MaxInt64})
	q.Add("/x")
	q.Tick(second)
	q.Started(1, 7)
	if w := q.Wake(); w <= second {
		t.Errorf("kills at %v", w)
	}
	q.Exited(second, 1, 1, 0)
	want(t, q.Tick(2*second), "")
}

// TestQueueKeepsItsLimits in any order of things, late and false answers among them.
func TestQueueKeepsItsLimits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q, at, running := New(Defaults()), words.Instant(0), map[ID]bool{}
		for range rapid.IntRange(1, 600).Draw(t, "steps") {
			at = at.Add(time.Duration(rapid.IntRange(0, int(40*time.Second)).Draw(t, "pass")))
			id := ID(rapid.IntRange(0, 400).Draw(t, "id"))
			var out []Action
			switch rapid.IntRange(0, 6).Draw(t, "what") {
			case 0, 1, 2:
				q.Add("/x")
			case 3:
				out = q.Tick(at)
			case 4:
				out = q.Started(id, 1+int(id))
			case 5:
				out = q.Exited(at, id, rapid.IntRange(0, 2).Draw(t, "signal"), rapid.IntRange(0, 2).Draw(t, "code"))
				delete(running, id)
			case 6:
				out = q.Unstarted(at, id)
				delete(running, id)
			}
			for _, a := range out {
				if s, ok := a.(Start); ok {
					if running[s.ID] {
						t.Fatalf("%v runs twice", s)
					}
					running[s.ID] = true
				}
			}
			if len(running) != q.Running() || q.Running() > AtOnce || q.Len() > Limit {
				t.Fatalf("%d run, of whom %d are known; %d in all", len(running), q.Running(), q.Len())
			}
		}
	})
}
