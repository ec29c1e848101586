package sentinel

import (
	"strconv"
	"time"

	core "redkeep/internal/decide/sentinel"
	"redkeep/internal/picture"
	face "redkeep/internal/show/sentinel"
)

// source is what the process' clients are told, and who does what they ask for: the machine.
type source struct{ *process }

// Self tells of the process.
func (s source) Self() face.Self {
	m := s.machine.Self()
	self := face.Self{
		ID: m.ID, RunID: s.id, Port: s.conf.Port, Version: s.options.Version, Started: s.started, Hz: s.conf.HZ,
		ConfigFile: s.options.Path, Supervised: s.conf.Supervised, Tilt: m.Tilt, TiltFor: m.TiltFor,
		Running: s.scripts.Running(), Queued: s.scripts.Len(),
	}
	if m.Simulate.AfterElection {
		self.Simulated |= face.CrashAfterElection
	}
	if m.Simulate.AfterPromotion {
		self.Simulated |= face.CrashAfterPromotion
	}
	return self
}

// Names are the groups'.
func (s source) Names() (all []string) {
	s.machine.Groups(func(name string) { all = append(all, name) })
	return all
}

// Addr is where a group's master is.
func (s source) Addr(name []byte) (host string, port int, ok bool) { return s.machine.Address(name) }

// Master is what is known of a group's master.
func (s source) Master(name string) (picture.Watched, bool) {
	return s.machine.Master(s.loop.Now(), name)
}

// AppendReplicas appends a group's replicas.
func (s source) AppendReplicas(to []picture.Watched, name string) ([]picture.Watched, bool) {
	return s.machine.Replicas(s.loop.Now(), name, to)
}

// AppendSentinels appends a group's other Sentinels.
func (s source) AppendSentinels(to []picture.Watched, name string) ([]picture.Watched, bool) {
	return s.machine.Sentinels(s.loop.Now(), name, to)
}

// Quorum counts a group's Sentinels.
func (s source) Quorum(name string) (face.Quorum, bool) {
	voters, usable, needed, ok := s.machine.Quorum(name)
	return face.Quorum{Voters: voters, Usable: usable, Needed: needed}, ok
}

// AppendCached appends the last INFO of a group's servers.
func (s source) AppendCached(to []face.Cached, name string) ([]face.Cached, bool) {
	ok := s.machine.Cached(s.loop.Now(), name, func(age time.Duration, text string) {
		to = append(to, face.Cached{Age: age, Info: text, Known: text != ""})
	})
	return to, ok
}

// Scripts are those that run and wait.
func (s source) Scripts() []face.Script {
	pending := s.scripts.Pending(s.loop.Now())
	all := make([]face.Script, len(pending))
	for i, p := range pending {
		all[i] = face.Script{Argv: p.Argv, Running: p.Running, PID: p.PID, Time: p.Time, Retry: p.Runs}
	}
	return all
}

// Setting is one of SENTINEL CONFIG GET.
func (s source) Setting(which face.Setting) string {
	m := s.machine.Self()
	switch which {
	case face.ResolveHostnames:
		return yesNo(m.ResolveHostnames)
	case face.AnnounceHostnames:
		return yesNo(m.AnnounceHostnames)
	case face.AnnounceIP:
		return m.AnnounceIP
	case face.AnnouncePort:
		return strconv.Itoa(m.AnnouncePort)
	case face.SentinelUser:
		return m.PeerUser
	case face.SentinelPass:
		return m.PeerPassword
	case face.LogLevel:
		return s.conf.LogLevel
	default:
		return ""
	}
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// Period is one of SENTINEL DEBUG. The face and the machine have them in the same order.
func (s source) Period(which face.Period) time.Duration {
	p := s.machine.Periods()
	return *p.Named()[which].Value
}

// ask gives the machine a request; answer is called with what became of it.
func (p *process) ask(r core.Request, answer func(core.Answer)) {
	p.lastAsk++
	p.answers[p.lastAsk] = answer
	p.step(core.Asked{ID: p.lastAsk, Request: r})
}
