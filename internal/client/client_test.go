package client

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"redkeep/internal/picture"
	"redkeep/internal/show/api"
	"redkeep/internal/words"
)

// wired is an Asker without a wire: the handler answers in the caller's own goroutine.
type wired struct{ handler *api.Handler }

func (w wired) Stream(ctx context.Context, request []byte, each func([]byte) error) error {
	return w.handler.Ask(ctx, "cli", request, each)
}

func node() picture.Node {
	return picture.Node{
		Node: "h1", Version: "0.1.0", Started: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Addrs: map[words.Node]netip.Addr{"h1": netip.MustParseAddr("10.0.0.1")},
		Groups: []picture.Group{
			{
				Name: "orders", Members: []picture.Member{{Node: "h1", Data: true, Lag: -1}, {Node: "h2", Data: true, Heard: -1, Lag: -1}},
				Recent: []picture.Noted{{Ago: time.Second, Reason: words.Reason{Code: words.Elected, Node: "h1", N: 3}}},
			},
			{Name: "carts"},
		},
	}
}

// connected returns a client of an agent that notes what is posted and gives these answers.
func connected(answers ...api.Answer) (*Client, *api.Request) {
	var posted api.Request
	return New(wired{api.New(api.Config{Picture: node, Post: func(_ context.Context, r api.Request) (<-chan api.Answer, error) {
		posted = r
		c := make(chan api.Answer, len(answers))
		for _, a := range answers {
			c <- a
		}
		return c, nil
	}})}), &posted
}

func TestStatus(t *testing.T) {
	c, _ := connected()
	got, err := c.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(node(), got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); d != "" {
		t.Errorf("(-agent +client):\n%s", d)
	}
}

func TestHistory(t *testing.T) {
	c, _ := connected()
	got, err := c.History(t.Context(), "orders", 0, 0)
	if err != nil || len(got) != 1 || got[0].Reason.Code != words.Elected || got[0].Ago != time.Second {
		t.Errorf("%v, %v", got, err)
	}
}

func TestEachVerbArrives(t *testing.T) {
	c, posted := connected(api.Answer{Text: "h2 is level"}, api.Answer{Final: true, Text: "done"})
	for want, do := range map[api.Request]func(func(string)) error{
		{Version: 1, Verb: api.Switchover, Group: "orders", Node: "h2"}:                  func(p func(string)) error { return c.Switchover(t.Context(), "orders", "h2", p) },
		{Version: 1, Verb: api.Bootstrap, Group: "orders", Node: "h1", AcceptLoss: true}: func(p func(string)) error { return c.Bootstrap(t.Context(), "orders", "h1", true, p) },
		{Version: 1, Verb: api.Recover, Group: "orders", AcceptLoss: true}:               func(p func(string)) error { return c.Recover(t.Context(), "orders", true, p) },
		{Version: 1, Verb: api.Leave, Group: "orders"}:                                   func(p func(string)) error { return c.Leave(t.Context(), "orders", p) },
	} {
		var lines []string
		err := do(func(line string) { lines = append(lines, line) })
		if err != nil || *posted != want || !slices.Equal(lines, []string{"h2 is level", "done"}) {
			t.Errorf("posted %+v, want %+v; progress %q; %v", *posted, want, lines, err)
		}
	}
}

func TestFaults(t *testing.T) {
	c, _ := connected(api.Answer{Final: true, Error: &api.Error{Fault: api.NoMajority, Text: "1 of 3 voters are heard"}})
	quiet := func(string) {}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, x := range map[string]struct {
		err  error
		want api.Fault
	}{
		"of the agent":    {c.Leave(t.Context(), "orders", quiet), api.NoMajority},
		"of the handler":  {c.Leave(t.Context(), "", quiet), api.Usage},
		"no connection":   {New(failing{err: errors.New("reset")}).Leave(t.Context(), "g", quiet), api.Unreachable},
		"no time":         {New(failing{err: context.DeadlineExceeded}).Leave(cancelled, "g", quiet), api.Timeout},
		"no end":          {New(failing{}).Leave(t.Context(), "g", quiet), api.Unreachable},
		"another release": {New(failing{part: `{"version":9}`}).Leave(t.Context(), "g", quiet), api.OtherRelease},
		"no JSON":         {New(failing{part: `hello`}).Leave(t.Context(), "g", quiet), api.OtherRelease},
	} {
		if got := api.FaultOf(x.err); got != x.want {
			t.Errorf("%s: %q (%v), want %q", name, got, x.err, x.want)
		}
	}
	if api.FaultOf(nil) != "" {
		t.Error("no error has a fault")
	}
}

// failing is an Asker that sends at most one part and then fails, or just ends.
type failing struct {
	err  error
	part string
}

func (f failing) Stream(_ context.Context, _ []byte, each func([]byte) error) error {
	if f.part != "" {
		if err := each([]byte(f.part)); err != nil {
			return err
		}
	}
	return f.err
}
