package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGINT, unix.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run measures rounds, in each of which the contenders take turns, and prints the medians.
func run(ctx context.Context) error {
	rounds := flag.Int("rounds", 3, "rounds of each contender, in turn")
	requests := flag.Int("n", 200_000, "requests of one turn; four times as many where they are pipelined")
	b := benchmark{}
	flag.IntVar(&b.clients, "c", 50, "connections")
	flag.IntVar(&b.threads, "threads", 1, "threads of redis-benchmark")
	share := flag.Int("share", 0, "percent of one core that each contender has, so that no client is its limit; 0 for all there is; takes root")
	binary := flag.String("redkeep", "", "the redkeep to measure; built if empty")
	flag.Parse()
	dir, err := os.MkdirTemp("", "rate")
	if err != nil {
		return fmt.Errorf("make directory: %w", err)
	}
	defer os.RemoveAll(dir)
	if *binary == "" {
		*binary = filepath.Join(dir, "redkeep")
		if out, err := exec.CommandContext(ctx, "go", "build", "-o", *binary, "./cmd/redkeep").CombinedOutput(); err != nil {
			return fmt.Errorf("build redkeep: %w: %s", err, out)
		}
	}
	all := []*contender{{name: "redis-sentinel", argv: []string{"redis-sentinel"}}, {name: "redkeep", argv: []string{*binary, "sentinel"}}}
	for _, c := range all {
		err := c.start(ctx, dir)
		if err == nil && *share > 0 {
			err = c.confine(*share)
		}
		if err != nil {
			return errors.Join(err, end(all))
		}
	}
	err = b.measure(ctx, all, *rounds, *requests)
	return errors.Join(err, end(all))
}

func end(all []*contender) (err error) {
	for _, c := range all {
		err = errors.Join(err, c.stop())
	}
	return err
}

// depths are how many requests are sent before their replies are awaited.
var depths = []int{1, 16}

// benchmark is how redis-benchmark is run.
type benchmark struct{ clients, threads int }

func (b benchmark) measure(ctx context.Context, all []*contender, rounds, requests int) error {
	results := map[*contender]map[int][]result{}
	for _, c := range all {
		results[c] = map[int][]result{}
	}
	for round := range rounds {
		for _, depth := range depths {
			n := requests
			if depth > 1 {
				n *= 4
			}
			for i := range all {
				c := all[(i+round)%len(all)] // who is first changes, as may the load
				r, err := b.ask(ctx, c, n, depth)
				if err != nil {
					return err
				}
				fmt.Fprintf(os.Stderr, "%-15s by %2d: %s\n", c.name, depth, r)
				results[c][depth] = append(results[c][depth], r)
			}
		}
	}
	for _, depth := range depths {
		first, second := median(results[all[0]][depth]), median(results[all[1]][depth])
		fmt.Printf("pipelined by %d, load %s\n  %-15s %s\n  %-15s %s\n  rate %.2f times, processor time %.2f times\n",
			depth, load(), all[0].name, first, all[1].name, second, second.rate/first.rate, second.cpu.Seconds()/first.cpu.Seconds())
	}
	return nil
}

// median takes each number's own.
func median(all []result) result {
	middle := func(of func(result) float64) float64 {
		each := make([]float64, 0, len(all))
		for _, r := range all {
			each = append(each, of(r))
		}
		slices.Sort(each)
		return each[len(each)/2]
	}
	return result{
		rate: middle(func(r result) float64 { return r.rate }), client: middle(func(r result) float64 { return r.client }),
		cpu: time.Duration(middle(func(r result) float64 { return float64(r.cpu) })),
	}
}

// load is the machine's load average of the last minute.
func load() string {
	text, _ := os.ReadFile("/proc/loadavg") // "" where there is none
	first, _, _ := strings.Cut(string(text), " ")
	return first
}
