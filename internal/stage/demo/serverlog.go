package demo

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"time"

	"redkeep/internal/stage"
	"redkeep/internal/words"
)

// promoted is the line by which a server says that it is a master now, in Redis's words or Valkey's. It has milliseconds.
var promoted = regexp.MustCompile(`(\d+ \w+ \d+ \d+:\d+:\d+\.\d+) \* (MASTER|PRIMARY) MODE enabled`)

// promotedTime is how servers write the time, in this machine's zone.
const promotedTime = "2 Jan 2006 15:04:05.000"

// serverLog reads on where a server's log ended.
type serverLog struct {
	path string
	at   int64
}

// openServerLog starts at the log's end. A log that is not there yet is empty.
func openServerLog(path string) *serverLog {
	l := &serverLog{path: path}
	if info, err := os.Stat(path); err == nil {
		l.at = info.Size()
	}
	return l
}

// promotion returns when the server has said that it was promoted, since the last call.
func (l *serverLog) promotion() (at time.Time, ok bool) {
	f, err := os.Open(l.path)
	if err != nil {
		return at, false
	}
	defer f.Close()
	more := make([]byte, 64<<10)
	n, _ := f.ReadAt(more, l.at) // the end of the file is where it ends mostly
	whole := bytes.LastIndexByte(more[:n], '\n') + 1
	l.at += int64(whole)
	found := promoted.FindSubmatch(more[:whole])
	if found == nil {
		return at, false
	}
	at, err = time.ParseInLocation(promotedTime, string(found[1]), time.Local)
	return at, err == nil
}

// promotion looks for what the servers say of their promotion, and tells it.
func (s *story) promotion(t *timeline) func() {
	logs := map[*stage.Host]*serverLog{}
	for _, h := range s.Hosts() {
		logs[h] = openServerLog(s.servers[words.Node(h.Name())].Process().Log())
	}
	return func() {
		for h, l := range logs {
			if at, ok := l.promotion(); ok {
				t.queued = append(t.queued, event{s.afterVote(t, words.Node(h.Name()), at).Sub(t.fault.wall), h.Name(), "promoted", "its redis-server says that it is a master"})
			}
		}
	}
}

// afterVote puts a time of whole milliseconds behind the vote of the same millisecond, which came first.
func (s *story) afterVote(t *timeline, n words.Node, at time.Time) time.Time {
	for _, e := range s.journal.since(t.fault.wall) {
		if e.node == n && e.code == words.Elected && e.at.After(at) && e.at.Before(at.Add(time.Millisecond)) {
			return e.at
		}
	}
	return at
}

// announcement looks for the first frame that says where the address is now, and tells it once.
func (s *story) announcement(t *timeline, old words.Node) func() {
	told := false
	return func() {
		at, by, ok := s.witnesses.announced(t.fault.boot, old)
		if told || !ok {
			return
		}
		told = true
		t.note(at, thirdHost, "announced", strings.Join([]string{"a third host sees a frame of", by + ":", stage.VIP.String(), "is here"}, " "))
	}
}
