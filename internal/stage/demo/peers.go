package demo

import (
	"context"
	"fmt"
	"strings"
	"time"

	"redkeep/internal/stage/contest"
)

// rival is one of those that are compared, with what it did.
type rival struct {
	contest.Contender
	missing []string
	results map[string]contest.Result
	errors  map[string]error
}

// played are the faults that Peers plays, with what the table calls them.
var played = []struct{ name, title string }{
	{"kill", "master's Redis killed"},
	{"power-off", "master's host without power"},
	{"cut", "master's host cut off"},
}

// peersStall is the longest stall of the machine with which a trial needs no remark.
const peersStall = 15 * time.Millisecond

// Peers plays the same faults on Redkeep and on what it replaces, each on hosts of its own, and prints them side by side.
// It takes some two minutes; its context and Out are as Run's.
func Peers(ctx context.Context, o Options) error {
	o = o.withDefaults()
	return play(ctx, o, func(ctx context.Context, gone func()) error {
		p := &page{out: o.Out, gone: gone, bold: o.Bold, faint: o.Faint}
		rivals := []*rival{
			enlist(contest.Redkeep("redkeep", o.Program, lease, true, nil)),
			enlist(contest.Sentinel("redis-sentinel", true)),
			enlist(contest.Keepalived()),
		}
		p.introducePeers(rivals)
		for _, f := range played {
			for _, r := range rivals {
				if err := r.play(ctx, p, f.name, f.title); err != nil {
					return err
				}
			}
		}
		p.compare(rivals)
		return nil
	})
}

func enlist(c contest.Contender) *rival {
	return &rival{Contender: c, missing: c.Missing(), results: map[string]contest.Result{}, errors: map[string]error{}}
}

// introducePeers says who is compared, and who can't be.
func (p *page) introducePeers(rivals []*rival) {
	p.say("%s", p.bold("redkeep demo --peers: the same faults on each, on three hosts of its own"))
	for _, r := range rivals {
		p.say("   %-14s  %s", r.Name, p.faint(r.About))
		if len(r.missing) > 0 {
			p.say("   %-14s  not installed, and left out; to see it: apt-get install %s", "", strings.Join(r.missing, " "))
		}
	}
	p.say("")
}

// play plays one fault on one rival. Only the end of the context is an error: a rival that fails shows in the table.
func (r *rival) play(ctx context.Context, p *page, fault, title string) error {
	if len(r.missing) > 0 {
		return nil
	}
	f, ok := contest.FaultNamed(fault)
	if !ok {
		return fmt.Errorf("play %s: there is no such fault", fault)
	}
	trial := contest.Trial{Contender: r.Contender, Fault: f}
	result, err := trial.Run(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		r.errors[fault] = err
		p.say("   %-27s  %-14s  %s", title, r.Name, err)
		return nil
	}
	r.results[fault] = result
	p.say("   %-27s  %-14s  writes stopped for %s%s", title, r.Name, ms(time.Duration(result.Gap)), p.faint(remarks(result)))
	return nil
}

// remarks says what was odd about a trial.
func remarks(r contest.Result) string {
	said := ""
	if !r.Recovered {
		said += "; they did not go on"
	}
	if !r.Settled {
		said += "; not one master in the end"
	}
	if stall := time.Duration(r.Stall); stall > peersStall {
		said += fmt.Sprintf("; this machine itself stalled for %s", ms(stall))
	}
	return said
}

// measures are the rows that each fault has in the table.
var measures = []struct {
	title string
	of    func(contest.Result) string
}{
	{"writes stopped for", func(r contest.Result) string { return ms(time.Duration(r.Gap)) }},
	{"acknowledged writes lost", func(r contest.Result) string { return fmt.Sprint(r.Lost) }},
	{"and of clients on the hosts", func(r contest.Result) string { return fmt.Sprint(r.LostLocally) }},
	{"two masters for", func(r contest.Result) string { return ms(time.Duration(r.Double)) }},
}

// compare prints all results side by side.
func (p *page) compare(rivals []*rival) {
	head := fmt.Sprintf("   %-30s", "")
	for _, r := range rivals {
		head += fmt.Sprintf("  %14s", r.Name)
	}
	p.say("")
	p.say("%s", p.bold(head))
	for _, f := range played {
		p.say("   %s", f.title)
		for i, m := range measures {
			line := fmt.Sprintf("      %-27s", m.title)
			for _, r := range rivals {
				line += fmt.Sprintf("  %14s", r.cell(f.name, i == 0, m.of))
			}
			p.say("%s", line)
		}
	}
	p.say("")
	p.say("%s", p.faint("   clients on the hosts see no cut and write to their own server, whatever becomes of the network"))
	p.say("%s", p.faint("   one run of each; make bench repeats them"))
}

// cell is one number of a rival, or what it has instead, which the first row says.
func (r *rival) cell(fault string, first bool, of func(contest.Result) string) string {
	result, ok := r.results[fault]
	instead := ""
	switch {
	case len(r.missing) > 0:
		instead = "not installed"
	case !ok:
		instead = "failed"
	case !result.Recovered && first:
		instead = "for good"
	default:
		return of(result)
	}
	if !first {
		return "-"
	}
	return instead
}
