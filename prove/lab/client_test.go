package lab

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"redkeep/internal/speak/resp"
	"redkeep/internal/stage"
	"redkeep/internal/stage/need"
	"redkeep/internal/stage/sentinels"
)

// TestClients has the libraries that applications use find the master, follow a planned change of it and its loss, behind
// Redis' own Sentinel, Redkeep in its place, two of the one with one of the other, and the agents' answers to Sentinel's clients.
func TestClients(t *testing.T) {
	t.Parallel()
	applications := prepare(t)
	for name, kinds := range map[string][]kind{
		"redis-sentinel": {sentinels.Real}, "redkeep sentinel": {ours}, "mixed": {sentinels.Real, ours},
	} {
		t.Run(name, func(t *testing.T) {
			followThrough(underSentinels(t, kinds...), applications)
		})
	}
	t.Run("redkeep run", func(t *testing.T) {
		followThrough(underAgents(t), applications)
	})
}

// underAgents makes a site of Redkeep's own, whose clients find the master as those of Sentinel do.
func underAgents(t *testing.T) *clientSite {
	t.Helper()
	s := newSite(t, Plan{NoVIP: true})
	s.awaitReady(20 * time.Second)
	return &clientSite{Stage: s.Stage, t: t, group: string(group), redis: s.redis, lossless: true}
}

const (
	// followLimit is how long all clients may take to write to a new master, from when the old one was struck: the down-after, an
	// election, the time after which a master that nobody follows any more is made a replica, and what the library adds.
	followLimit = 30 * time.Second
	// copying is what a master may have acknowledged and not sent to its replicas yet when it is struck.
	copying = time.Second
)

// handovers are two changes of a site's master.
type handovers struct {
	first, second, third string
	// asked is when the second master was asked for, killed when it was killed, and over when all clients had followed.
	asked, killed, over time.Time
	// planned and crash are how long each client took to follow.
	planned, crash map[string]time.Duration
}

// followThrough runs the clients through both changes of the master and judges what they were told.
func followThrough(s *clientSite, applications []application) {
	s.await(20*time.Second, "whole group", s.whole)
	var m handovers
	runners := s.run(applications)
	m.first, _ = s.followAll(runners, "", time.Now().Add(-time.Minute))

	m.asked = time.Now()
	s.askFailover(m.first)
	m.second, m.planned = s.followAll(runners, m.first, m.asked)

	s.await(20*time.Second, "whole group", s.whole)
	m.second = s.master()
	m.killed = time.Now()
	if _, err := s.serverAt(m.second).Kill(); err != nil {
		s.t.Fatal(err)
	}
	m.third, m.crash = s.followAll(runners, m.second, m.killed)
	m.over = time.Now()
	for _, r := range runners {
		if _, err := r.process.Kill(); err != nil {
			s.t.Log(err) // the stage's end kills it again, and minds
		}
	}
	s.t.Logf("masters: %s, %s by request, %s after a kill", m.first, m.second, m.third)
	s.t.Run("redis-cli", s.redisCLI)
	s.judgeAll(applications, runners, m)
}

// askFailover asks for another master than this one. A group whose replicas are behind for a moment has nobody to offer, and says so;
// and what was consented to may be on its way, or over, where the answer was too late.
func (s *clientSite) askFailover(master string) {
	s.t.Helper()
	late := false
	s.await(10*time.Second, "consent to SENTINEL FAILOVER", func() bool {
		if now := s.master(); late && now != "" && now != master {
			return true
		}
		_, err := s.ask(s.Hosts()[1], "SENTINEL", "FAILOVER", s.group)
		var refused *resp.ReplyError
		switch {
		case !errors.As(err, &refused):
			late = err != nil
		case late && strings.HasPrefix(refused.Error(), "INPROG"):
			return true
		case !strings.Contains(refused.Error(), "NOGOODSLAVE"):
			s.t.Fatal(err)
		}
		return err == nil
	})
}

// followAll waits until all tell clients of another master than that, and every client writes to it. It returns how long after
// an instant each began to. A machine that is short of time may have the master change once more than was asked for.
func (s *clientSite) followAll(runners map[string]*runner, before string, after time.Time) (master string, took map[string]time.Duration) {
	s.t.Helper()
	for end := time.Now().Add(followLimit); ; time.Sleep(10 * time.Millisecond) {
		master, took = s.master(), map[string]time.Duration{}
		for _, r := range runners {
			if first, ok := r.follows(master, after); ok {
				took[r.name] = first.Sub(after).Round(time.Millisecond)
			}
		}
		switch {
		case master != "" && master != before && len(took) == len(runners):
			return master, took
		case time.Now().After(end):
			s.tellAstray(runners, master, took)
			s.t.FailNow()
		}
	}
}

// tellAstray says which clients do not write to the master.
func (s *clientSite) tellAstray(runners map[string]*runner, master string, took map[string]time.Duration) {
	s.t.Helper()
	s.t.Errorf("%d of %d clients write to the master %q within %v", len(took), len(runners), master, followLimit)
	for _, r := range runners {
		if _, ok := took[r.name]; !ok {
			acks, oops := r.said()
			s.t.Errorf("%s does not; the last of its %d writes: %v; last refused: %q", r.name,
				len(acks), acks[max(0, len(acks)-1):], oops[max(0, len(oops)-5):])
		}
	}
}

// judgeAll judges each client in a subtest of its name.
func (s *clientSite) judgeAll(applications []application, runners map[string]*runner, m handovers) {
	s.t.Helper()
	// Sentinels that changed the master more often than they were given reason to have lost more than is known here.
	epoch := s.fields(s.Hosts()[0])["config-epoch"]
	astray := !s.lossless && epoch != "2"
	if astray {
		s.t.Logf("the Sentinels changed the master once more: their epoch is %s", epoch)
	}
	// mayLose says of a write that is not on the last master whether that is Sentinel's known loss.
	mayLose := func(a ack) bool {
		planned := a.by == m.first && a.at.After(m.asked.Add(-copying)) && a.at.Before(m.killed)
		crash := a.by == m.second && a.at.After(m.killed.Add(-copying)) && !a.at.After(m.killed.Add(copying))
		return crash || planned && !s.lossless || astray && a.at.After(m.asked.Add(-copying)) && a.by != m.third
	}
	reached := s.whatReached(m.third, runners)
	for _, c := range applications {
		s.t.Run(c.name, func(t *testing.T) {
			if c.lacking != "" {
				need.Program(t, c.lacking)
			}
			r := runners[c.name]
			r.judge(t, reached[c.name], mayLose)
			t.Logf("at the second master after %v (longest gap %v), at the third after %v (%v)",
				m.planned[c.name], r.gap(m.asked, m.killed), m.crash[c.name], r.gap(m.killed, m.over))
		})
	}
}

// run starts the clients that this machine can run.
func (s *clientSite) run(applications []application) map[string]*runner {
	s.t.Helper()
	runners := map[string]*runner{}
	for _, c := range applications {
		if c.lacking != "" {
			continue
		}
		r := &runner{application: c, key: "written-by-" + c.name}
		args := append(append([]string{}, c.argv[1:]...), s.group, r.key)
		for _, face := range s.Ports(stage.FacePort) {
			args = append(args, face.String())
		}
		p, err := s.Client().Start(stage.Command{Name: c.name, Path: c.argv[0], Args: args, Env: c.env, Output: r})
		if err != nil {
			s.t.Fatal(err)
		}
		r.process, runners[c.name] = p, r
	}
	return runners
}

// whatReached reads from a server what each client has written.
func (s *clientSite) whatReached(server string, runners map[string]*runner) map[string]map[string]bool {
	s.t.Helper()
	found := map[string]map[string]bool{}
	for name, r := range runners {
		v, err := s.serverAt(server).Do(s.t.Context(), "SMEMBERS", r.key)
		if err != nil {
			s.t.Fatal(err)
		}
		found[name] = map[string]bool{}
		for _, e := range v.Elems {
			found[name][e.Text] = true
		}
	}
	return found
}

// judge wants every acknowledged write to be there, but for those that may be lost.
func (r *runner) judge(t *testing.T, reached map[string]bool, mayLose func(ack) bool) {
	t.Helper()
	acks, oops := r.said()
	lost, missing := 0, []ack(nil)
	for _, a := range acks {
		switch {
		case reached[fmt.Sprint(a.number)]:
		case mayLose(a):
			lost++
		default:
			missing = append(missing, a)
		}
	}
	t.Logf("%d writes, %d lost as Sentinel loses them, %d refusals: %q", len(acks), lost, len(oops), oops[:min(len(oops), 4)])
	if len(missing) > 0 {
		t.Errorf("%d acknowledged writes are not on the last master, the first is %v", len(missing), missing[0])
	}
}
