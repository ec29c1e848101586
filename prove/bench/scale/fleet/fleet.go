package fleet

import (
	"bufio"
	"context"
	_ "embed" // INFO's text
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"

	"redkeep/internal/act/sockets"
	"redkeep/internal/speak/hello"
	"redkeep/internal/stage/clock"
	"redkeep/internal/words"
)

const (
	// tick is how often voters say what is due: as a real one's timer at its fastest, which has 10 to 20 ticks a second.
	tick = 50 * time.Millisecond
	// publishPeriod and pingPeriod are Sentinel's.
	publishPeriod = 2 * time.Second
	pingPeriod    = time.Second
)

// info is what Redis 7.0 answers to INFO, with the parts that differ between servers left out.
//
//go:embed info.txt
var info string

// fleet is all of them.
type fleet struct {
	plan    Plan
	loop    *sockets.Loop
	servers []*server // Servers of each group
	voters  []*voter
	texts   []string // between what differs in INFO
	begun   words.Instant
	ticked  words.Instant
	owed    [Voters]float64 // parts of greetings
	lostAt  words.Instant
	// scratch, out, info and said are used again and again.
	scratch, out, info, said []byte
}

// Run plays until ctx ends. It writes "ready" when all can be reached, and then obeys orders, of a line each, which it answers with
// "done": "lose N" has the Nth host of masters be gone.
func Run(ctx context.Context, p Plan, orders io.Reader, answers io.Writer) error {
	f, rest := &fleet{plan: p}, info
	for _, mark := range []string{"%run_id%", "%port%", "%uptime%", "%replication%"} {
		var head string
		head, rest, _ = strings.Cut(rest, mark)
		f.texts = append(f.texts, lines(head))
	}
	f.texts = append(f.texts, lines(rest))
	var err error
	f.loop, err = sockets.New(sockets.Config{Now: now, Woken: f.woken, OutLimit: 1 << 20})
	if err != nil {
		return err
	}
	if err := f.open(); err != nil {
		return err
	}
	f.begun, f.ticked = f.loop.Now(), f.loop.Now()
	f.loop.SetWake(f.loop.Now())
	ctx, end := context.WithCancel(ctx)
	defer end()
	_, _ = fmt.Fprintln(answers, "ready") // who can't be told will not give orders either
	go func() {                           // ends with the orders
		defer end()
		for in := bufio.NewScanner(orders); in.Scan(); {
			var host int
			if _, err := fmt.Sscanf(in.Text(), "lose %d", &host); err == nil {
				f.loop.Post(func() { f.lose(host); _, _ = fmt.Fprintln(answers, "done") })
			}
		}
	}()
	return f.loop.Run(ctx)
}

// lines has a text's lines end as INFO's do.
func lines(text string) string { return strings.ReplaceAll(text, "\n", "\r\n") }

func now() words.Instant { return words.Instant(clock.Now()) }

// open makes them all.
func (f *fleet) open() error {
	for group := range f.plan.Groups {
		for i := range Servers {
			s := &server{fleet: f, group: group, at: f.plan.At(group, i), runID: fmt.Sprintf("%040x", 0x5eed_0000_0001+group*Servers+i)}
			if i > 0 {
				s.master = f.plan.At(group, 0)
			}
			if err := s.listen(); err != nil {
				return err
			}
			f.servers = append(f.servers, s)
		}
	}
	for n := range Voters {
		v := &voter{fleet: f, at: f.plan.Voter(n), id: f.plan.VoterID(n), next: n * f.plan.Groups / Voters}
		for group := range f.plan.Groups {
			v.groups = append(v.groups, opinion{master: f.plan.At(group, 0)})
		}
		if err := v.listen(); err != nil {
			return err
		}
		f.voters = append(f.voters, v)
	}
	return nil
}

// woken has the voters say what is due.
func (f *fleet) woken(at words.Instant) {
	passed := min(at.Sub(f.ticked), publishPeriod)
	f.ticked = at
	for n, v := range f.voters {
		f.owed[n] += float64(f.plan.Groups) * float64(passed) / float64(publishPeriod)
		whole := int(f.owed[n])
		f.owed[n] -= float64(whole)
		v.greet(whole)
	}
	f.loop.SetWake(at.Add(tick))
}

// lose has the masters of a host be gone.
func (f *fleet) lose(host int) {
	f.lostAt = f.loop.Now()
	for group := host * f.plan.PerHost; group < min((host+1)*f.plan.PerHost, f.plan.Groups); group++ {
		f.servers[group*Servers].lose()
	}
}

// down reports whether voters call a server down.
func (f *fleet) down(at netip.AddrPort) bool {
	s := f.server(at)
	return s != nil && s.lost && f.loop.Now().Sub(f.lostAt) >= f.plan.DownAfter
}

// server is who listens at an address.
func (f *fleet) server(at netip.AddrPort) *server {
	group := int(at.Port()) - FirstPort
	if group < 0 || group >= f.plan.Groups {
		return nil
	}
	for _, s := range f.servers[group*Servers : (group+1)*Servers] {
		if s.at == at {
			return s
		}
	}
	return nil
}

// followers are those that a master lists.
func (f *fleet) followers(master *server) (all []*server) {
	for _, s := range f.servers[master.group*Servers : (master.group+1)*Servers] {
		if s != master && !s.lost && s.master == master.at {
			all = append(all, s)
		}
	}
	return all
}

// overhear has the voters learn of epochs and switches, whichever way the greeting came.
func (f *fleet) overhear(text []byte) {
	h, ok := hello.Parse(string(text))
	if !ok {
		return
	}
	group := h.MasterPort - FirstPort
	for _, v := range f.voters {
		v.epoch = max(v.epoch, h.CurrentEpoch)
		if group < 0 || group >= len(v.groups) || v.groups[group].epoch >= h.ConfigEpoch {
			continue
		}
		if ip, err := netip.ParseAddr(h.MasterHost); err == nil {
			v.groups[group].epoch, v.groups[group].master = h.ConfigEpoch, netip.AddrPortFrom(ip, uint16(h.MasterPort))
		}
	}
}

// uptime is in seconds.
func (f *fleet) uptime() int64 { return int64(f.loop.Now().Sub(f.begun)/time.Second) + 86_400 }
