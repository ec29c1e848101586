package api

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"redkeep/internal/picture"
	"redkeep/internal/words"
)

// asked runs one request against a handler and returns the parts of the answer as JSON.
func asked(t *testing.T, h *Handler, request string) []string {
	t.Helper()
	var parts []string
	err := h.Ask(t.Context(), "cli", []byte(request), func(b []byte) error {
		parts = append(parts, string(b))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return parts
}

func answering(answers ...Answer) func(context.Context, Request) (<-chan Answer, error) {
	return func(context.Context, Request) (<-chan Answer, error) {
		c := make(chan Answer, len(answers))
		for _, a := range answers {
			c <- a
		}
		return c, nil
	}
}

func TestStatusHasAPartForEachGroup(t *testing.T) {
	n := sample()
	second := n.Groups[0]
	second.Name = "carts"
	n.Groups = append(n.Groups, second)
	parts := asked(t, New(Config{Picture: func() picture.Node { return n }}), `{"version":1,"verb":"status","mood":"good"}`)
	if len(parts) != 4 {
		t.Fatalf("%d parts", len(parts))
	}
	for i, want := range []string{`"node":{"version":1,"node":"h1"`, `"group":{"name":"orders"`, `"group":{"name":"carts"`, `"done":{}`} {
		if !strings.Contains(parts[i], want) {
			t.Errorf("part %d: %s, want %s in it", i, parts[i], want)
		}
	}
}

func TestAnswersArePassedOn(t *testing.T) {
	for name, c := range map[string]struct {
		answers []Answer
		want    []string
	}{
		"success": {
			[]Answer{{Text: "h2 is level"}, {Final: true, Text: "h2 is the master"}},
			[]string{`{"version":1,"progress":"h2 is level"}`, `{"version":1,"done":{"text":"h2 is the master"}}`},
		},
		"refusal": {
			[]Answer{{Final: true, Error: &Error{Refused, "h2's server is loading"}}},
			[]string{`{"version":1,"error":{"fault":"refused","text":"h2's server is loading"}}`},
		},
		"nothing after the last": {[]Answer{{Final: true}, {Text: "late"}}, []string{`{"version":1,"done":{}}`}},
	} {
		h := New(Config{Picture: sample, Post: answering(c.answers...)})
		if got := asked(t, h, `{"version":1,"verb":"switchover","node":"h2"}`); strings.Join(got, "\n") != strings.Join(c.want, "\n") {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestTheLoopGetsACheckedRequest(t *testing.T) {
	var got Request
	h := New(Config{Picture: sample, Post: func(_ context.Context, r Request) (<-chan Answer, error) {
		got = r
		return answering(Answer{Final: true})(nil, r)
	}})
	asked(t, h, `{"version":1,"verb":"bootstrap","node":"h2","accept_loss":true}`)
	if want := (Request{Version: 1, Verb: Bootstrap, Group: "orders", Node: "h2", AcceptLoss: true}); got != want {
		t.Errorf("posted %+v, want %+v", got, want)
	}
}

func TestWhatIsWrongIsTold(t *testing.T) {
	two := sample()
	two.Groups = append(two.Groups, picture.Group{Name: "carts"})
	never := func(context.Context, Request) (<-chan Answer, error) { return nil, errors.New("must not be posted") }
	closed := func(context.Context, Request) (<-chan Answer, error) {
		c := make(chan Answer)
		close(c)
		return c, nil
	}
	full := func(context.Context, Request) (<-chan Answer, error) {
		return nil, &Error{Refused, "too many requests wait"}
	}
	for name, c := range map[string]struct {
		request string
		node    picture.Node
		post    func(context.Context, Request) (<-chan Answer, error)
		want    string
	}{
		"no JSON":       {`status`, sample(), never, `"fault":"usage"`},
		"version":       {`{"version":2,"verb":"status"}`, sample(), never, `"fault":"other_release"`},
		"verb":          {`{"version":1,"verb":"dance"}`, sample(), never, `"fault":"other_release","text":"the agent does not know \"dance\"`},
		"no master":     {`{"version":1,"verb":"bootstrap"}`, sample(), never, `--master`},
		"which group":   {`{"version":1,"verb":"leave"}`, two, never, `h1 has 2 groups; name the one that is meant: orders, carts`},
		"no such group": {`{"version":1,"verb":"leave","group":"x"}`, two, never, `name one of: orders, carts`},
		"a witness":     {`{"version":1,"verb":"switchover","node":"h3"}`, sample(), never, `h3 has no server of group orders; name one of: h1, h2`},
		"not taken":     {`{"version":1,"verb":"leave"}`, sample(), full, `"fault":"refused","text":"too many requests wait"`},
		"stopping":      {`{"version":1,"verb":"leave"}`, sample(), closed, `"fault":"failed","text":"the agent is stopping`},
	} {
		parts := asked(t, New(Config{Picture: func() picture.Node { return c.node }, Post: c.post}), c.request)
		if len(parts) != 1 || !strings.Contains(parts[0], c.want) {
			t.Errorf("%s: %s, want %s", name, parts, c.want)
		}
	}
}

func TestARequestEndsWithItsLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Config{Picture: sample, Post: func(context.Context, Request) (<-chan Answer, error) { return make(chan Answer), nil }})
		start := time.Now()
		parts := asked(t, h, `{"version":1,"verb":"recover"}`)
		if len(parts) != 1 || !strings.Contains(parts[0], `"fault":"timeout"`) {
			t.Errorf("%s", parts)
		}
		if took := time.Since(start); took != DefaultLimit {
			t.Errorf("it took %v", took)
		}
	})
}

func TestAnUndeliveredReplyEndsTheRequest(t *testing.T) {
	gone := errors.New("gone")
	h := New(Config{Picture: sample, Post: answering(Answer{Text: "a"}, Answer{Text: "b"})})
	err := h.Ask(t.Context(), "cli", []byte(`{"version":1,"verb":"leave"}`), func([]byte) error { return gone })
	if !errors.Is(err, gone) {
		t.Errorf("%v", err)
	}
}

func TestHistory(t *testing.T) {
	parts := asked(t, New(Config{Picture: sample}), `{"version":1,"verb":"history"}`)
	if len(parts) != 2 || !strings.Contains(parts[0], `"code":"writable"`) || !strings.Contains(parts[0], "takes writes in epoch 7") {
		t.Errorf("%s", parts)
	}
}

func TestHistoryIsTheStores(t *testing.T) {
	var disk []picture.Noted
	for i := range 5 {
		disk = append(disk, picture.Noted{Ago: time.Duration(5-i) * time.Hour, Reason: words.Reason{Code: words.Elected, Node: "h1", N: int64(i)}})
	}
	h := New(Config{Picture: sample, History: func(words.Group) ([]picture.Noted, error) { return disk, nil }})
	for request, want := range map[string]string{
		`{"version":1,"verb":"history"}`:                              "0 1 2 3 4",
		`{"version":1,"verb":"history","last":2}`:                     "3 4",
		`{"version":1,"verb":"history","last":20}`:                    "0 1 2 3 4",
		`{"version":1,"verb":"history","since_ms":10800000}`:          "2 3 4",
		`{"version":1,"verb":"history","since_ms":10800000,"last":1}`: "4",
		`{"version":1,"verb":"history","since_ms":1}`:                 "",
	} {
		var got []string
		for _, b := range asked(t, h, request) {
			p, err := ParsePart([]byte(b))
			if err != nil {
				t.Fatal(err)
			}
			if p.Noted != nil {
				got = append(got, fmt.Sprint(p.Noted.Reason.N))
			}
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%s: %q, want %q", request, s, want)
		}
	}
	h = New(Config{Picture: sample, History: func(words.Group) ([]picture.Noted, error) { return nil, errors.New("bad sector") }})
	if parts := asked(t, h, `{"version":1,"verb":"history"}`); len(parts) != 1 || !strings.Contains(parts[0], `"fault":"failed","text":"bad sector"`) {
		t.Errorf("%s", parts)
	}
}

// FuzzAsk: whatever is asked, there is an answer with an end and no panic.
func FuzzAsk(f *testing.F) {
	f.Add([]byte(`{"version":1,"verb":"status"}`))
	f.Add([]byte(`{"version":1,"verb":"switchover","group":"orders","node":"h2"}`))
	h := New(Config{Picture: sample, Post: answering(Answer{Final: true})})
	f.Fuzz(func(t *testing.T, request []byte) {
		var last Part
		err := h.Ask(t.Context(), "cli", request, func(b []byte) error {
			p, err := ParsePart(b)
			last = p
			return err
		})
		if err != nil || last.Done == nil && last.Error == nil {
			t.Errorf("%v, %+v", err, last)
		}
	})
}
