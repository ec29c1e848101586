package demo

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"redkeep/internal/stage/clock"
	"redkeep/internal/stage/contest"
	"redkeep/internal/stage/writer"
)

// every makes writes of 1 ms, one each interval, from one instant until another.
func every(interval, from, to clock.Instant) []writer.Write {
	var writes []writer.Write
	for at := from; at < to; at += interval {
		writes = append(writes, writer.Write{Sent: at, Acked: at.Add(time.Millisecond)})
	}
	return writes
}

func TestMeterTellsAPauseOnceAndItsCostWhenWritesGoOn(t *testing.T) {
	const ms = clock.Instant(time.Millisecond)
	stalls, err := clock.Watch()
	if err != nil {
		t.Fatal(err)
	}
	defer stalls.Stop()
	m := meter{stalls: stalls}
	log := every(2*ms, 0, 100*ms)
	if found := m.read(log); len(found) > 0 {
		t.Errorf("without a pause: %v", found)
	}
	if said := m.standing(99 * ms); !strings.Contains(said, "go on") {
		t.Error(said)
	}
	if said := m.standing(900 * ms); !strings.Contains(said, "no write") {
		t.Error(said)
	}
	log = append(log, every(2*ms, 500*ms, 600*ms)...)
	if found := m.read(log); len(found) != 1 || found[0].from != 99*ms || found[0].to.Acked != 501*ms {
		t.Errorf("the pauses are %v", found)
	}
	if found := m.read(log); len(found) > 0 {
		t.Errorf("told again: %v", found)
	}
	if _, due := m.due(600 * ms); due {
		t.Error("reckoned too early")
	}
	m.read(append(log, every(2*ms, 600*ms, 1600*ms)...))
	if begun, due := m.due(1600 * ms); !due || begun != 99*ms {
		t.Errorf("due %v from %v", due, begun)
	}
	if _, due := m.due(1600 * ms); due {
		t.Error("reckoned twice")
	}
}

func TestWritesSinceAnInstant(t *testing.T) {
	const ms = clock.Instant(time.Millisecond)
	log := every(2*ms, 2*ms, 20*ms)
	log[3].Acked, log[3].Err = 0, "reset"
	if got := from(log, 7*ms); len(got) != 6 || got[0].Sent != 8*ms {
		t.Errorf("from 7 ms: %v", got)
	}
	if got := acks(log, 7*ms); got != 6 {
		t.Errorf("%d acknowledged after 7 ms; want the one sent at 6 ms and five more", got)
	}
	if last, refused := lastAck(append(log, writer.Write{Sent: 30 * ms}, writer.Write{Sent: 32 * ms})); last != 19*ms || refused != 30*ms {
		t.Errorf("last %v, refused %v", last, refused)
	}
}

func TestServersPromotionIsRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "redis.log")
	write := func(text string) {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.WriteString(text); err != nil {
			t.Fatal(err)
		}
	}
	const line = "10788:M 20 Nov 2026 15:22:03.079 * MASTER MODE enabled (user request from 'id=3')\n"
	write("1:S old\n" + line)
	l := openServerLog(path)
	if at, ok := l.promotion(); ok {
		t.Errorf("what was there before is news: %v", at)
	}
	write("10788:S a line\n" + line[:40])
	if at, ok := l.promotion(); ok {
		t.Errorf("half a line is read: %v", at)
	}
	write(line[40:])
	at, ok := l.promotion()
	if want := time.Date(2026, 11, 20, 15, 22, 3, 79e6, time.Local); !ok || !at.Equal(want) {
		t.Errorf("%v, %v; want %v", at, ok, want)
	}
	if _, ok := l.promotion(); ok {
		t.Error("told twice")
	}
	if _, ok := openServerLog(path + ".none").promotion(); ok {
		t.Error("a log that is not there has news")
	}
}

func TestPeersAreComparedSideBySide(t *testing.T) {
	var out strings.Builder
	p := &page{out: &out, bold: plain, faint: plain}
	one, two, three := enlist(contest.Contender{Name: "redkeep"}), enlist(contest.Contender{Name: "other"}), enlist(contest.Contender{Name: "third"})
	one.results["kill"] = contest.Result{Gap: contest.Duration(13 * time.Millisecond), Recovered: true}
	two.results["kill"] = contest.Result{Gap: contest.Duration(time.Second), Lost: 574, LostLocally: 9, Double: contest.Duration(585 * time.Millisecond)}
	two.errors["cut"] = errors.New("not ready")
	three.missing = []string{"keepalived"}
	p.introducePeers([]*rival{one, two, three})
	p.compare([]*rival{one, two, three})
	for _, want := range []string{
		"apt-get install keepalived",
		"redkeep other third",
		"writes stopped for 13.0 ms for good not installed",
		"acknowledged writes lost 0 574 -",
		"two masters for 0 ms 585 ms -",
	} {
		if !slices.ContainsFunc(strings.Split(out.String(), "\n"), func(line string) bool {
			return strings.HasSuffix(strings.Join(strings.Fields(line), " "), want)
		}) {
			t.Errorf("no line %q in\n%s", want, out.String())
		}
	}
}

func TestEnterNamesTheUserNamespaceWhereThereIsOne(t *testing.T) {
	if got := strings.Join(Enter("/proc/7/task/9/ns/net", ""), " "); got != "nsenter --net=/proc/7/task/9/ns/net" {
		t.Error(got)
	}
	got := strings.Join(Enter("/proc/7/task/9/ns/net", "/proc/7/ns/user"), " ")
	if got != "nsenter --preserve-credentials --user=/proc/7/ns/user --net=/proc/7/task/9/ns/net" {
		t.Error(got)
	}
}
