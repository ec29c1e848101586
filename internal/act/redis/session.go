package redis

import (
	"context"
	"errors"
	"net"
	"strconv"
	"strings"
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/speak/info"
	"redkeep/internal/speak/resp"
	"redkeep/internal/words"
)

// session is one connection of the watch. Requests go out in batches, and never a second one before the first was
// answered: a server that is slow finds no heap of questions when it is back.
type session struct {
	*watch
	conn   net.Conn
	reader *reader
	out    []byte
	server words.Server
	disk   disk
	// owed are the answers that the server owes, in their order.
	owed []question
	// sent is when they were asked for; cpu is the CPU time that the process had used by then.
	sent time.Time
	cpu  time.Duration
	// resident is the process's memory in bytes, when last looked at.
	resident int64
	// nextFull, nextSilent and nextGlance are when the next long look, the next word about a silence and the next look at
	// the process are due.
	nextFull, nextSilent, nextGlance time.Time
	// complaint is the first error reply of the batch.
	complaint *resp.ReplyError
	// answered says that the server has told who it is on this connection; hopeless that it won't.
	answered, hopeless bool
	// wake is when the loop wanted to be woken last.
	wake time.Time
}

// question says what an answer will be the answer to.
type question uint8

const (
	askSetup  question = iota // an error is of no interest
	askAccess                 // an error means that nothing else will be answered
	askInfo
	askConfig
)

func newSession(w *watch, conn net.Conn) *session {
	return &session{watch: w, conn: conn, reader: startReader(conn), server: info.Unknown()}
}

// run watches until the connection or the context ends, and returns how long to wait before the next: not at all after
// one that was of use, since a refusal then says whether the server is dead or has only closed this one.
func (s *session) run(ctx context.Context) time.Duration {
	defer s.end()
	s.introduce()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for !s.hopeless {
		s.wake = s.nextWake()
		timer.Reset(time.Until(s.wake))
		select {
		case r := <-s.reader.replies:
			if r.err != nil {
				if refused := (*refusedError)(nil); errors.As(r.err, &refused) {
					s.cfg.Report(decide.Complained{Kind: decide.ComplaintAuth, Text: refused.Error()})
					return soon
				}
				if !s.killing.Swap(false) {
					s.lose(decide.LossClosed)
				}
				if s.answered {
					return 0
				}
				return s.retryIn()
			}
			s.take(redact(r.value, s.cfg.Password))
		case <-timer.C:
			s.turn(time.Now())
		case <-s.roused:
			s.rouse(time.Now())
		case <-s.exited():
			s.tellExit()
		case <-ctx.Done():
			return 0
		}
	}
	if s.complaint != nil {
		s.tell()
	}
	return soon
}

// end closes the connection and waits for its reader.
func (s *session) end() {
	_ = s.conn.Close()
	s.reader.stop()
}

// nextWake returns when there is something to do if no answer comes.
func (s *session) nextWake() time.Time {
	next := s.sent.Add(s.pace() + s.pace()/8) // the rest of the window in which Rouse comes first.
	if len(s.owed) > 0 {
		next = s.nextSilent
	}
	if s.process != nil && !s.gone && s.resident >= glanceFrom && s.nextGlance.Before(next) {
		next = s.nextGlance
	}
	return next
}

// pace is the time between two batches. A server that loads is asked often: the whole group may wait for it.
func (s *session) pace() time.Duration {
	if s.server.Loading {
		return min(s.cfg.Poll, loadingPoll)
	}
	return s.cfg.Poll
}

// turn does what is due: a glance at the process, the next batch, or a word about a server that owes an answer.
func (s *session) turn(now time.Time) {
	if late := now.Sub(s.wake); len(s.owed) > 0 && late > s.cfg.Poll {
		// The agent itself did not run; the answer may lie in the socket. Its silence begins anew.
		_, cpu := s.sample()
		s.begin(now, cpu)
	}
	state, cpu := s.sample()
	s.nextGlance = now.Add(glanceEvery)
	if state == decide.ProcessGone && !s.gone {
		s.tellExit()
	}
	switch owes := now.Sub(s.sent); {
	case len(s.owed) == 0 && owes >= s.pace():
		s.poll(now, cpu)
	case len(s.owed) > 0 && !now.Before(s.nextSilent):
		s.nextSilent = now.Add(s.cfg.Poll)
		busy := state == decide.ProcessRunning && cpu-s.cpu >= owes/2
		s.cfg.Report(decide.Silent{For: owes, Process: state, Busy: busy})
	}
}

// rouse takes the next look where most of the time between two has passed.
func (s *session) rouse(now time.Time) {
	if len(s.owed) == 0 && now.Sub(s.sent) >= s.most() {
		_, cpu := s.sample()
		s.poll(now, cpu)
	}
}

// most is the part of the time between two looks after which one may be taken early. It is more than one beat and less than
// two, so that looks and beats that have met once stay together.
func (s *session) most() time.Duration { return s.pace() * 5 / 8 }

// begin starts to count the time that the server takes for an answer, and the CPU time that it uses for it.
func (s *session) begin(now time.Time, cpu time.Duration) {
	s.sent, s.nextSilent, s.cpu = now, now.Add(2*s.cfg.Poll), cpu
	s.early.Store(int64(now.Add(s.most()).Sub(s.began)))
}

// sample looks at the process, where there is one.
func (s *session) sample() (decide.ProcessState, time.Duration) {
	if s.process == nil {
		return decide.ProcessUnknown, 0
	}
	state, cpu, resident := s.process.Sample()
	s.resident = resident
	return state, cpu
}

// introduce sends the first batch: who we are, and the long look behind it without waiting.
func (s *session) introduce() {
	s.out = s.out[:0]
	s.ask(askAccess, s.authentication())
	s.ask(askSetup, s.cfg.command("CLIENT", "SETNAME", watchName))
	s.ask(askSetup, s.cfg.command("CLIENT", "NO-EVICT", "ON"))
	s.ask(askConfig, s.cfg.command("CONFIG", "GET", "active-replica")) // KeyDB's, which no CONFIG SET changes
	now := time.Now()
	s.askAll(now)
	_, cpu := s.sample()
	s.send(now, cpu)
}

// poll sends the next batch: the short look, and from time to time the long one.
func (s *session) poll(now time.Time, cpu time.Duration) {
	s.out = s.out[:0]
	if !s.answered || s.server.Loading || !now.Before(s.nextFull) {
		s.askAll(now)
	} else {
		if s.server.Keys <= 0 {
			// Its first keys must be known at once: by them a restart without data is told from one of an empty server.
			s.ask(askInfo, s.cfg.command("INFO", "keyspace"))
		}
		s.ask(askInfo, s.cfg.command("INFO", "replication"))
	}
	s.send(now, cpu)
}

// askAll asks for the long look. Before 7.0 INFO takes one section at a time.
func (s *session) askAll(now time.Time) {
	s.nextFull = now.Add(fullEvery)
	for _, section := range []string{"server", "persistence", "keyspace", "replication"} {
		s.ask(askInfo, s.cfg.command("INFO", section))
	}
	// A master's INFO has neither. The old spellings are known to every version.
	s.ask(askConfig, s.cfg.command("CONFIG", "GET", "slave-priority"))
	s.ask(askConfig, s.cfg.command("CONFIG", "GET", "slave-read-only"))
	if s.disk.SaveFailed {
		s.disk.asked = true
		s.ask(askConfig, s.cfg.command("CONFIG", "GET", "stop-writes-on-bgsave-error"))
		s.ask(askConfig, s.cfg.command("CONFIG", "GET", "save"))
	}
}

func (s *session) ask(kind question, command []string) {
	if len(command) > 0 {
		s.out = resp.AppendCommand(s.out, command...)
		s.owed = append(s.owed, kind)
	}
}

func (s *session) send(now time.Time, cpu time.Duration) {
	s.begin(now, cpu)
	_ = s.conn.SetWriteDeadline(now.Add(soon))
	if _, err := s.conn.Write(s.out); err != nil {
		// The reader sees the end too, and before it what the server said last.
		_ = s.conn.Close()
	}
}

// take reads one answer.
func (s *session) take(v resp.Value) {
	if v.Kind == resp.Push {
		return
	}
	if len(s.owed) == 0 {
		s.hopeless = true // an answer to no question: what follows can't be told apart.
		return
	}
	kind := s.owed[0]
	s.owed = s.owed[1:]
	var reply *resp.ReplyError
	switch {
	case errors.As(v.Err(), &reply):
		s.noteDenial(v.Text)
		if kind == askAccess || kind == askInfo {
			s.complain(kind, reply)
		}
	case kind == askInfo:
		s.learn(v.Text)
	case kind == askConfig:
		s.learnSetting(v.Strings())
	}
	if len(s.owed) == 0 {
		s.tell()
	}
}

// complain keeps the first error reply of a batch.
func (s *session) complain(kind question, reply *resp.ReplyError) {
	if s.complaint == nil {
		s.complaint = reply
	}
	if kind == askAccess || classify(reply) == decide.ComplaintAuth {
		s.hopeless = true // the connection has to be introduced anew.
	}
}

func (s *session) learn(text string) {
	report := info.Parse(text)
	report.Merge(&s.server)
	if p, ok := report.Persistence(); ok {
		s.disk.learn(p)
	}
	if claim := report.Process(); claim.PID != 0 {
		s.prove(claim)
		s.server.BornFenced = s.file.fenced(claim.ConfigFile, s.pid, s.process != nil)
		s.born.Store(s.server.BornFenced)
	}
}

// learnSetting reads an answer to CONFIG GET.
func (s *session) learnSetting(pair []string) {
	if len(pair) != 2 {
		return
	}
	name := strings.ToLower(pair[0])
	if s.disk.setting(name, pair[1]) {
		return
	}
	switch name {
	case "slave-priority", "replica-priority":
		if n, err := strconv.Atoi(pair[1]); err == nil {
			s.server.Priority = n
		}
	case "active-replica":
		s.server.Active = pair[1] == "yes"
	case "slave-read-only", "replica-read-only":
		s.server.ReadOnly = pair[1] == "yes"
	}
}

// tell reports what the batch has brought.
func (s *session) tell() {
	if s.complaint != nil {
		s.cfg.Report(decide.Complained{Kind: classify(s.complaint), Text: s.complaint.Text})
		s.complaint = nil
		return
	}
	if s.server.RunID == "" || s.server.Role == words.RoleUnknown {
		return
	}
	s.found()
	s.server.DiskFails = s.disk.fails()
	s.diskFails.Store(s.server.DiskFails)
	if !s.answered || !s.news.isSettled() {
		s.answered = true
		select {
		case s.prepare <- struct{}{}:
		default:
		}
	}
	if !s.news.tell(s.sent, func() { s.cfg.Report(decide.Seen{Server: s.server}) }) {
		s.sent = time.Now().Add(settleSoon - s.pace() - s.pace()/8) // nextWake's reckoning, backwards
	}
}

// classify names an error reply as decisions tell them apart.
func classify(reply *resp.ReplyError) decide.Complaint {
	switch reply.Code {
	case "LOADING":
		return decide.ComplaintLoading
	case "BUSY":
		return decide.ComplaintBusy
	case "NOAUTH", "WRONGPASS", "NOPERM", "DENIED":
		return decide.ComplaintAuth
	default:
		return decide.ComplaintOther
	}
}
