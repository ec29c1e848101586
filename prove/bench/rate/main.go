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
	clients := flag.Int("c", 50, "connections")
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
		if err := c.start(ctx, dir); err != nil {
			return errors.Join(err, end(all))
		}
	}
	err = measure(ctx, all, *rounds, *requests, *clients)
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

func measure(ctx context.Context, all []*contender, rounds, requests, clients int) error {
	results := map[*contender]map[int][]result{}
	for _, c := range all {
		results[c] = map[int][]result{}
	}
	for range rounds {
		for _, depth := range depths {
			n := requests
			if depth > 1 {
				n *= 4
			}
			for _, c := range all {
				r, err := c.ask(ctx, n, clients, depth)
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
		fmt.Printf("pipelined by %d\n  %-15s %s\n  %-15s %s\n  rate %.2f times, processor time %.2f times\n",
			depth, all[0].name, first, all[1].name, second, second.rate/first.rate, second.cpu.Seconds()/first.cpu.Seconds())
	}
	return nil
}

// median takes each number's own.
func median(all []result) (m result) {
	rates, cpus := make([]float64, 0, len(all)), slices.Clone(all)
	for _, r := range all {
		rates = append(rates, r.rate)
	}
	slices.Sort(rates)
	slices.SortFunc(cpus, func(a, b result) int { return int(a.cpu - b.cpu) })
	return result{rate: rates[len(rates)/2], cpu: cpus[len(cpus)/2].cpu}
}
