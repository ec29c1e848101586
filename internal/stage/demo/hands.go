package demo

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"redkeep/internal/stage"
	"redkeep/internal/words"
)

// damage is what was done to a host by hand and not mended yet.
type damage struct{ cut, frozen bool }

// hands break and mend hosts on command.
type hands struct {
	*site
	done map[words.Node]damage
}

// hand is one command: it returns what it did, for the timeline and for who gave it.
type hand func(ctx context.Context, h *stage.Host) (did string, err error)

// of returns the hand for a word; false for a word that is none.
func (d *hands) of(word string) (hand, bool) {
	found, ok := map[string]hand{"kill": d.kill, "cut": d.cut, "freeze": d.freeze, "heal": d.heal}[word]
	return found, ok
}

func (d *hands) kill(_ context.Context, h *stage.Host) (string, error) {
	r := d.servers[words.Node(h.Name())]
	if r.Process().Ended() {
		return "", refuse("its redis-server does not run; redkeep demo heal %s starts it", h.Name())
	}
	_, err := r.Kill()
	return "kill -9 of its redis-server", err
}

func (d *hands) cut(_ context.Context, h *stage.Host) (string, error) {
	was := d.done[words.Node(h.Name())]
	if was.cut {
		return "", refuse("it is cut off already; redkeep demo heal %s mends its cable", h.Name())
	}
	if err := d.Cut(h.Name()); err != nil {
		return "", err
	}
	was.cut = true
	d.done[words.Node(h.Name())] = was
	return "network cable pulled", nil
}

func (d *hands) freeze(_ context.Context, h *stage.Host) (string, error) {
	was := d.done[words.Node(h.Name())]
	if was.frozen {
		return "", refuse("it is frozen already; redkeep demo heal %s continues it", h.Name())
	}
	if err := d.Freeze(h.Name()); err != nil {
		return "", err
	}
	was.frozen = true
	d.done[words.Node(h.Name())] = was
	return "every program on it is stopped, as on a paused machine", nil
}

// heal mends all that is wrong with a host, by whomever it was done.
func (d *hands) heal(ctx context.Context, h *stage.Host) (string, error) {
	node := words.Node(h.Name())
	was := d.done[node]
	var did []string
	if was.frozen {
		did = append(did, "its programs go on")
	}
	if was.cut {
		did = append(did, "cable plugged in again")
	}
	// Both are done in any case: a program may have been stopped from a shell.
	if err := errors.Join(d.Thaw(h.Name()), d.Heal(h.Name())); err != nil {
		return "", err
	}
	delete(d.done, node)
	if d.agents[node].Ended() {
		if err := d.startAgent(h); err != nil {
			return "", err
		}
		did = append(did, "its agent is started again")
	}
	if r := d.servers[node]; r.Process().Ended() {
		if err := r.Start(ctx); err != nil {
			return "", err
		}
		did = append(did, "its redis-server is started again, empty")
	}
	if len(did) == 0 {
		return "", refuse("nothing is wrong with it")
	}
	return strings.Join(did, "; "), nil
}

// refusal is an error of who gave the command, and not of the demo.
type refusal struct{ why string }

func (r *refusal) Error() string { return r.why }

func refuse(format string, args ...any) error { return &refusal{fmt.Sprintf(format, args...)} }
