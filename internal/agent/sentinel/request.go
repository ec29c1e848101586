package sentinel

import (
	"context"
	"errors"
	"strings"
	"time"

	"redkeep/internal/decide/script"
	core "redkeep/internal/decide/sentinel"
	face "redkeep/internal/show/sentinel"
	"redkeep/internal/speak/logline"
)

// errObserving is what clients hear that ask one to change something that may not.
var errObserving = errors.New("this Sentinel observes and changes nothing: start it without --observe")

// errNoEpoch is what clients hear that ask for a failover after the last epoch.
var errNoEpoch = errors.New("no epoch is left for a failover; see the log")

// refusals are the machine's in the words of the protocol.
var refusals = map[core.Refusal]error{
	core.Accepted: nil, core.NoSuchMaster: face.ErrNoSuchMaster, core.DuplicateMaster: face.ErrDuplicate, core.InProgress: face.ErrInProgress,
	core.NoHandOver: face.ErrNoGoodPrimary, core.NoGoodReplica: face.ErrNoGoodReplica, core.ScriptsDenied: face.ErrScriptsDenied, core.BadNotifier: face.ErrNoNotifier,
	core.BadReconfigurer: face.ErrNoReconfigurer, core.NotSaved: face.ErrNotSaved, core.Observing: errObserving,
	core.NoEpoch:       errNoEpoch,
	core.UnknownOption: errors.New("no such option"),
}

// told passes an answer on that says no more than whether something was done.
func told(answer func(error)) func(core.Answer) {
	return func(a core.Answer) { answer(refusals[a.Refusal]) }
}

// MasterDown asks whether a master is down, and perhaps for this Sentinel's vote.
func (s source) MasterDown(q face.DownQuestion, answer func(face.DownAnswer)) {
	s.ask(core.IsMasterDown{Addr: core.At(q.Host, q.Port), Epoch: q.Epoch, RunID: q.RunID}, func(a core.Answer) {
		d := face.DownAnswer{Down: a.Down, Leader: a.Leader, LeaderEpoch: a.Epoch}
		if d.Leader == "*" {
			d.Leader = ""
		}
		answer(d)
	})
}

// Greeting takes a hello.
func (s source) Greeting(payload string) {
	if h := s.greetings.read(payload); h != nil {
		s.step(core.Asked{Request: core.Hail{Hello: *h}})
	}
}

// Failover switches over without asking the others.
func (s source) Failover(name string, coordinated bool, answer func(error)) {
	s.ask(core.Failover{Group: name, Coordinated: coordinated}, told(answer))
}

// Monitor adds a group. A name is looked up first: one that no address is found for is refused.
func (s source) Monitor(m face.Monitor, answer func(error)) {
	at := core.At(m.Host, m.Port)
	add := func() {
		s.ask(core.Monitor{Group: m.Name, Addr: at, Quorum: m.Quorum}, told(answer))
	}
	if at.IP.IsValid() {
		add()
		return
	}
	// The goroutine ends with the lookup, which is bounded.
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), lookupTime)
		defer cancel()
		ip, err := resolve(ctx, m.Host)
		s.loop.Tell(func() {
			if err != nil {
				answer(face.ErrBadHost)
				return
			}
			at.IP = ip
			add()
		})
	}()
}

// Remove forgets a group.
func (s source) Remove(name string, answer func(error)) {
	s.ask(core.Remove{Group: name}, told(answer))
}

// Reset starts anew with groups. The machine answers it at once.
func (s source) Reset(covers func(name string) bool) (n int) {
	s.ask(core.Reset{Match: covers}, func(a core.Answer) { n = a.Count })
	return n
}

// Set changes options of a group.
func (s source) Set(name string, options []face.Option, answer func(error)) {
	set := core.Set{Group: name}
	for _, o := range options {
		set.Options = append(set.Options, core.Option{Name: o.Name, Typed: o.Typed, Number: int(o.Number), Text: o.Value, Second: o.To})
	}
	s.ask(set, told(answer))
}

// Configure changes a setting of the whole.
func (s source) Configure(which face.Setting, value string, answer func(error)) {
	if which == face.LogLevel {
		s.setLogLevel(value, answer)
		return
	}
	r := core.Configure{Option: string(which), Text: value}
	if which == face.AnnouncePort {
		for _, d := range value {
			r.Number = r.Number*10 + int(d-'0')
		}
	}
	s.ask(r, told(answer))
}

func (s source) setLogLevel(value string, answer func(error)) {
	least, ok := logline.ParseLevel(value)
	if !ok {
		answer(errors.New("no such level"))
		return
	}
	s.conf.Settings = s.conf.WithLogLevel(strings.ToLower(value))
	s.options.SetLogLevel(least)
	s.Flush(answer)
}

// SetPeriod changes one of SENTINEL DEBUG.
func (s source) SetPeriod(which face.Period, d time.Duration) error {
	periods := s.machine.Periods()
	s.ask(core.SetPeriod{Name: periods.Named()[which].Name, Value: d}, func(core.Answer) {})
	now := s.machine.Periods()
	s.scripts.Set(script.Settings{Runtime: now.ScriptMaxRuntime, RetryDelay: now.ScriptRetries})
	return nil
}

// Simulate sets the failures to be simulated.
func (s source) Simulate(f face.Failures) error {
	s.ask(core.Simulate{AfterElection: f&face.CrashAfterElection != 0, AfterPromotion: f&face.CrashAfterPromotion != 0}, func(core.Answer) {})
	return nil
}

// Flush writes the file.
func (s source) Flush(answer func(error)) { s.ask(core.Flush{}, told(answer)) }

// Shutdown ends the process.
func (s source) Shutdown(func(error)) {
	s.log(logline.Warning, "User requested shutdown...")
	s.end(nil)
}
