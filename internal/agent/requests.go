package agent

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"redkeep/internal/act/peer"
	"redkeep/internal/decide"
	"redkeep/internal/picture"
	"redkeep/internal/show/api"
	"redkeep/internal/speak/explain"
	"redkeep/internal/words"
)

// asks are the requests that wait for a machine's answer.
type asks struct {
	mu      sync.Mutex
	last    uint64            // guarded by mu
	waiting map[uint64]*asked // guarded by mu
}

// asked is one request; its channel has room for its progress, and drops what is too much.
type asked struct{ answers chan api.Answer }

const answersRoom = 16

// add gives a request its number.
func (q *asks) add() (uint64, *asked) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.last++
	w := &asked{answers: make(chan api.Answer, answersRoom)}
	q.waiting[q.last] = w
	return q.last, w
}

// take returns the request, and forgets it where its answer is the last.
func (q *asks) take(id uint64, final bool) *asked {
	q.mu.Lock()
	defer q.mu.Unlock()
	w := q.waiting[id]
	if final {
		delete(q.waiting, id)
	}
	return w
}

func (a *Agent) newest() picture.Node { return *a.picture.Load() }

// onAsk answers one request of the command line, or of another agent that passes one on.
func (a *Agent) onAsk(ctx context.Context, who string, request []byte, reply func([]byte) error) error {
	if done, err := a.probe(ctx, who, request, reply); done {
		return err
	}
	if done, err := a.passOn(ctx, who, request, reply); done {
		return err
	}
	return a.ask.Ask(ctx, who, request, reply)
}

// passOn gives a switchover or a departure to the holder's agent, which alone can do it, and a question about another node's
// file to that one's. A request that was passed on once stays.
func (a *Agent) passOn(ctx context.Context, who string, request []byte, reply func([]byte) error) (bool, error) {
	var r api.Request
	if who != peer.CommandLine || json.Unmarshal(request, &r) != nil {
		return false, nil
	}
	to := a.meant(r)
	if to == "" || to == a.opt.Self.Name {
		return false, nil
	}
	conn, err := a.peer.Dial(ctx, to)
	if err != nil {
		return false, nil // this agent's own answer says who holds
	}
	defer func() { _ = conn.Close() }()
	return true, conn.Stream(ctx, request, reply)
}

// meant is the node whose agent has to answer a request; empty where that is this one, or not known.
func (a *Agent) meant(r api.Request) words.Node {
	switch r.Verb {
	case api.Definition:
		return r.Node
	case api.Switchover, api.Leave:
	default:
		return ""
	}
	n := a.newest()
	if r.Group == "" && len(n.Groups) == 1 {
		r.Group = n.Groups[0].Name
	}
	g, ok := n.Group(r.Group)
	if !ok || !g.Writable {
		return ""
	}
	return g.Master
}

// definition is what this node's file says of a group.
func (a *Agent) definition(name words.Group) []string {
	for _, g := range a.opt.Config.Groups {
		if g.Name == name {
			return append(a.opt.Config.Definition(g).Lines(), a.opt.Config.Settings(g)...)
		}
	}
	return nil
}

// postRequest gives a request to its group's machine.
func (a *Agent) postRequest(_ context.Context, r api.Request) (<-chan api.Answer, error) {
	var req decide.Request
	switch r.Verb {
	case api.Switchover:
		req = decide.Switchover{To: r.Node}
	case api.Bootstrap:
		req = decide.Bootstrap{Master: r.Node, AcceptLoss: r.AcceptLoss}
	case api.Recover:
		req = decide.Recover{AcceptLoss: r.AcceptLoss}
	case api.Leave:
		req = decide.Leave{}
	case api.Pause:
		req = decide.PauseFailover{For: time.Duration(r.ForMS) * time.Millisecond, Text: r.Text}
	case api.Resume:
		req = decide.ResumeFailover{}
	default:
		return nil, errors.New("unknown request")
	}
	id, w := a.asks.add()
	a.post(r.Group, decide.Asked{ID: id, Request: req})
	return w.answers, nil
}

// answer passes a machine's answer on to whoever waits for it.
func (a *Agent) answer(r decide.Reply) {
	a.publish() // who was answered sees what was done
	w := a.asks.take(r.ID, r.Final)
	if w == nil {
		return
	}
	ans := api.Answer{Final: r.Final, Text: r.Text}
	if r.Err != "" {
		ans.Error = refusal(r)
	}
	select {
	case w.answers <- ans:
	default:
	}
}

// refusal turns a machine's no into an error with a fault for the exit code.
func refusal(r decide.Reply) *api.Error {
	text := r.Err
	if !r.Why.Zero() {
		text = explain.Sentence(r.Why)
	}
	fault := api.Refused
	if r.Why.Code == words.NoMajority {
		fault = api.NoMajority
	}
	return &api.Error{Fault: fault, Text: text}
}

// everyMachine asks all machines at once, and waits for as long as a stop may take.
func (a *Agent) everyMachine(ctx context.Context, r decide.Request, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var waiting []*asked
	for _, name := range a.order {
		id, w := a.asks.add()
		waiting = append(waiting, w)
		a.post(name, decide.Asked{ID: id, Request: r})
	}
	for _, w := range waiting {
		select {
		case <-w.answers:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
