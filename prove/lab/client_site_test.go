package lab

import (
	"context"
	"strings"
	"testing"
	"time"

	"redkeep/internal/stage"
	"redkeep/internal/stage/sentinels"
	"redkeep/internal/stage/wire"
)

// clientSite is three hosts with a server each, and on each something that answers as a Sentinel does.
type clientSite struct {
	*stage.Stage
	t     *testing.T
	group string
	redis map[string]*stage.Redis
	// sentinels are what answers, where that are Sentinels and not agents.
	sentinels []*sentinels.Sentinel
	// lossless says that a planned change of the master costs no acknowledged write, as no Sentinel promises.
	lossless bool
}

// kind is a program that can be a Sentinel.
type kind func(*stage.Stage) (sentinels.Program, error)

// ours is Redkeep's.
func ours(*stage.Stage) (sentinels.Program, error) { return sentinels.Ours(binary), nil }

// underSentinels makes a site whose masters are chosen by Sentinels, of these programs in turn.
func underSentinels(t *testing.T, kinds ...kind) *clientSite {
	t.Helper()
	t.Parallel()
	st, err := stage.New(context.Background(), stage.Options{Dir: memory()})
	if err != nil {
		t.Fatal(err)
	}
	s := &clientSite{Stage: st, t: t, group: "mymaster", redis: map[string]*stage.Redis{}}
	t.Cleanup(s.end)
	for i, h := range st.Hosts() {
		c := stage.RedisConfig{}
		if i > 0 {
			c.ReplicaOf = st.Hosts()[0].Port(stage.DefaultPort)
		}
		if s.redis[h.Name()], err = h.StartRedis(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	for i, h := range st.Hosts() {
		program, err := kinds[i%len(kinds)](st)
		if err != nil {
			t.Fatal(err)
		}
		s.startSentinel(h, program)
	}
	return s
}

// startSentinel starts one, and has it look and tell more often than anybody may configure, as the tests of Sentinel do.
func (s *clientSite) startSentinel(h *stage.Host, program sentinels.Program) {
	s.t.Helper()
	watched := sentinels.At(s.group, s.Hosts()[0].Port(stage.DefaultPort), 2)
	watched.DownAfter, watched.FailoverTimeout, watched.Lines = 2*time.Second, 10*time.Second, []string{"parallel-syncs 2"}
	one, err := sentinels.Add(h, sentinels.Config{Program: program, Groups: []sentinels.Group{watched}})
	if err == nil {
		err = one.Start(s.t.Context())
	}
	if err == nil {
		s.sentinels = append(s.sentinels, one)
		_, err = one.Do(append([]string{"SENTINEL", "DEBUG"}, strings.Fields(periods)...)...)
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// end takes the site away, and shows the Sentinels' logs of a test that failed.
func (s *clientSite) end() {
	for _, one := range s.sentinels {
		if s.t.Failed() || *logs {
			s.t.Logf("---- %s\n%s", one.Host().Name(), events(tail(one.Process().Log(), 200000)))
		}
		if err := one.Close(); err != nil {
			s.t.Error(err)
		}
	}
	if err := s.Close(); err != nil {
		s.t.Error(err)
	}
}

// events is what a Sentinel's log has of its decisions: without the comings and goings of its clients.
func events(log string) string {
	var kept strings.Builder
	for line := range strings.Lines(log) {
		if strings.Contains(line, " # ") || strings.Contains(line, " * ") {
			kept.WriteString(line)
		}
	}
	return kept.String()
}

// ask says one thing to what answers as a Sentinel on the host, from there.
func (s *clientSite) ask(h *stage.Host, args ...string) ([]string, error) {
	conn, err := wire.Dial(s.t.Context(), h.Dial, h.Port(stage.FacePort), time.Second)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	v, err := conn.Do(time.Second, args...)
	if err != nil {
		return nil, err
	}
	if len(v.Elems) == 0 {
		return []string{v.Text}, nil
	}
	var all []string
	for _, e := range v.Elems {
		all = append(all, e.Text)
	}
	return all, nil
}

// fields asks the host for what it tells of the master, by name.
func (s *clientSite) fields(h *stage.Host) map[string]string {
	all, err := s.ask(h, "SENTINEL", "MASTER", s.group)
	if err != nil {
		return nil
	}
	found := map[string]string{}
	for i := 0; i+1 < len(all); i += 2 {
		found[all[i]] = all[i+1]
	}
	return found
}

// master is the one that all hosts tell clients of; empty where they differ.
func (s *clientSite) master() string {
	var agreed string
	for i, h := range s.Hosts() {
		address, err := s.ask(h, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", s.group)
		if err != nil || len(address) != 2 {
			return ""
		}
		if at := strings.Join(address, ":"); i == 0 {
			agreed = at
		} else if at != agreed {
			return ""
		}
	}
	return agreed
}

// whole reports whether every host knows the two others and both replicas, and both follow the master.
func (s *clientSite) whole() bool {
	master := s.master()
	for _, h := range s.Hosts() {
		f := s.fields(h)
		if master == "" || f["num-slaves"] != "2" || f["num-other-sentinels"] != "2" || f["flags"] != "master" {
			return false
		}
		role, err := s.redis[h.Name()].Do(s.t.Context(), "ROLE")
		switch {
		case err != nil || len(role.Elems) == 0:
			return false
		case master == s.redis[h.Name()].Addr().String():
			if role.Elems[0].Text != "master" {
				return false
			}
		case len(role.Elems) != 5 || role.Elems[1].Text != strings.Split(master, ":")[0] || role.Elems[3].Text != "connected":
			return false
		}
	}
	return true
}

// serverAt is the server of an address.
func (s *clientSite) serverAt(address string) *stage.Redis {
	s.t.Helper()
	for _, r := range s.redis {
		if r.Addr().String() == address {
			return r
		}
	}
	s.t.Fatalf("no server has the address %q", address)
	return nil
}

func (s *clientSite) await(within time.Duration, what string, ok func() bool) {
	s.t.Helper()
	(&Site{t: s.t}).await(within, what, ok)
}
