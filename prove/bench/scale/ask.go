package scale

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"redkeep/internal/speak/resp"
	"redkeep/internal/stage/clock"
	"redkeep/prove/bench"
	"redkeep/prove/bench/scale/fleet"
)

// dialog is a connection to the contender.
type dialog struct {
	net.Conn
	in *bufio.Reader
}

func dial(ctx context.Context) (*dialog, error) {
	d := net.Dialer{Timeout: 5 * time.Second}
	c, err := d.DialContext(ctx, "tcp", fleet.Subject.String())
	if err != nil {
		return nil, err
	}
	_ = c.SetDeadline(time.Now().Add(2 * time.Minute)) // it is open
	return &dialog{c, bufio.NewReaderSize(c, 64<<10)}, nil
}

// word reads the next text of a reply, whatever it is in.
func (d *dialog) word() (string, error) {
	for {
		line, err := d.in.ReadString('\n')
		if err != nil {
			return "", err
		}
		switch line[0] {
		case '$':
			text, err := d.in.ReadString('\n')
			return strings.TrimRight(text, "\r\n"), err
		case '+', '-':
			return strings.TrimRight(line, "\r\n"), nil
		}
	}
}

// whole says what is not watched yet.
func whole(ctx context.Context, p fleet.Plan) error {
	d, err := dial(ctx)
	if err != nil {
		return err
	}
	defer d.Close()
	for _, g := range []int{0, p.Groups / 2, p.Groups - 1} {
		if _, err := d.Write(resp.AppendCommand(nil, "SENTINEL", "CKQUORUM", p.Name(g))); err != nil {
			return err
		}
		said, err := d.word()
		if err != nil {
			return err
		}
		if !strings.HasPrefix(said, "+OK 3 usable") {
			return errors.New(said)
		}
	}
	return nil
}

// rounds is how often a rate is measured in each trial: what else the machine does may last as long as one measuring.
const rounds = 5

// rate is the usual one of several rounds, with the processor time that an answer costs: where redis-benchmark is what limits the rate, or
// somebody else needs the machine, that still tells two programs apart.
func (s *subject) rate(ctx context.Context, requests, pipelined int, p fleet.Plan) (Rate, error) {
	var r Rate
	var all []float64
	before, err := bench.ProcessorTime(s.cmd.Process.Pid)
	if err != nil {
		return r, err
	}
	for range rounds {
		one, err := benchmark(ctx, requests/rounds, pipelined, p)
		if err != nil {
			return r, err
		}
		all = append(all, one)
	}
	after, err := bench.ProcessorTime(s.cmd.Process.Pid)
	r.PerSecond, r.Cost = median(all), (after-before)/time.Duration(max(1, requests/rounds*rounds))
	return r, err
}

// benchmark asks with 50 clients, and returns how many requests were answered in a second.
func benchmark(ctx context.Context, requests, pipelined int, p fleet.Plan) (float64, error) {
	out, err := exec.CommandContext(ctx, "redis-benchmark", "-h", fleet.Subject.Addr().String(), "-p", strconv.Itoa(fleet.Port), "-c", "50",
		"-n", strconv.Itoa(requests), "-P", strconv.Itoa(pipelined), "--csv", "SENTINEL", "get-master-addr-by-name", p.Name(p.Groups/2)).Output()
	if err != nil {
		return 0, fmt.Errorf("run redis-benchmark: %w", err)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	fields := strings.Split(lines[len(lines)-1], `","`)
	if len(fields) < 3 {
		return 0, fmt.Errorf("run redis-benchmark: it said %q", out)
	}
	return strconv.ParseFloat(fields[1], 64)
}

// Failover is how the masters of a lost host were replaced.
type Failover struct {
	// Groups is how many had their master there, and Done how many of those have another.
	Groups int `json:"groups"`
	Done   int `json:"done"`
	// Slowest is the longest of all from +sdown to +switch-master, and Median the usual.
	Slowest time.Duration `json:"slowest_ns"`
	Median  time.Duration `json:"median_ns"`
	// All is from when the last was detected until the last was done.
	All time.Duration `json:"all_ns"`
}

// outage is what was told of one group.
type outage struct{ down, done clock.Instant }

// mostOutage is how long a failover of all is waited for.
const mostOutage = 30 * time.Second

// failOver loses a host, and listens.
func failOver(ctx context.Context, p fleet.Plan, servers *servers) (Failover, error) {
	d, err := dial(ctx)
	if err != nil {
		return Failover{}, err
	}
	defer d.Close()
	if _, err := d.Write(resp.AppendCommand(nil, "SUBSCRIBE", "+sdown", "+switch-master")); err != nil {
		return Failover{}, err
	}
	if err := servers.lose(0); err != nil {
		return Failover{}, err
	}
	f := Failover{Groups: min(p.PerHost, p.Groups)}
	_ = d.SetDeadline(time.Now().Add(mostOutage)) // it is open
	outages := map[string]*outage{}
	for f.Done < f.Groups {
		said, err := d.word()
		if err != nil {
			break // what was not done in time is not done
		}
		if said != "+sdown" && said != "+switch-master" {
			continue
		}
		payload, err := d.word()
		if err != nil {
			break
		}
		words := strings.Fields(payload)
		switch {
		case len(words) == 4 && words[0] == "master":
			outages[words[1]] = &outage{down: clock.Now()}
		case len(words) == 5 && outages[words[0]] != nil && outages[words[0]].done == 0:
			outages[words[0]].done = clock.Now()
			f.Done++
		}
	}
	return f.sum(outages), nil
}

// sum makes the numbers.
func (f Failover) sum(outages map[string]*outage) Failover {
	var each []time.Duration
	var lastDown, lastDone clock.Instant
	for _, o := range outages {
		lastDown, lastDone = max(lastDown, o.down), max(lastDone, o.done)
		if o.done != 0 {
			each = append(each, o.done.Sub(o.down))
		}
	}
	if len(each) > 0 {
		slices.Sort(each)
		f.Slowest, f.Median, f.All = each[len(each)-1], each[len(each)/2], lastDone.Sub(lastDown)
	}
	return f
}
