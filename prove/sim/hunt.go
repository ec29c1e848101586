package sim

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"
)

// Hunt is a search: runs of one plan with one seed after another, until the time is over or a run is convicted.
type Hunt struct {
	Plan    Plan
	For     time.Duration // of real time, after Now
	Workers int
	Now     func() time.Time
	// All goes on after a conviction.
	All bool
}

// Bag is what a hunt brought home.
type Bag struct {
	Runs, Faults, Votes, Opens, Acks, Steps int
	ByFault                                 map[string]int
	First, Last                             uint64
	Simulated, Took                         time.Duration
	Convicted                               []Outcome
}

// Go searches from the plan's seed on. Each worker is a goroutine that ends with the hunt.
func (h Hunt) Go() Bag {
	bag := Bag{ByFault: map[string]int{}, First: h.Plan.Seed}
	start := h.Now()
	var lock sync.Mutex // guards bag and next
	next := h.Plan.Seed
	var all sync.WaitGroup
	for range max(1, h.Workers) {
		all.Go(func() {
			for {
				lock.Lock()
				over := h.Now().Sub(start) > h.For || len(bag.Convicted) > 0 && !h.All
				seed := next
				next++
				lock.Unlock()
				if over {
					return
				}
				p := h.Plan
				p.Seed = seed
				o := Run(p)
				lock.Lock()
				bag.add(o)
				lock.Unlock()
			}
		})
	}
	all.Wait()
	bag.Last, bag.Took = next-1, h.Now().Sub(start)
	return bag
}

func (b *Bag) add(o Outcome) {
	b.Runs++
	b.Faults += o.Faults
	b.Votes += o.Votes
	b.Opens += o.Opens
	b.Acks += o.Acks
	b.Steps += o.Steps
	b.Simulated += o.Elapsed
	for f, n := range o.ByFault {
		b.ByFault[f] += n
	}
	if len(o.Findings) > 0 {
		b.Convicted = append(b.Convicted, o)
	}
}

// Print writes the numbers of a hunt: what was injected and voted, in all and in a minute.
func (b Bag) Print(to io.Writer) {
	m := max(b.Took.Minutes(), 1e-9)
	fmt.Fprintf(to, "%d runs (seeds %d to %d), %v simulated in %v: %d faults, %d votes, %d elections won, %d acknowledgements, %d steps\n",
		b.Runs, b.First, b.Last, b.Simulated.Round(time.Second), b.Took.Round(time.Millisecond), b.Faults, b.Votes, b.Opens, b.Acks, b.Steps)
	fmt.Fprintf(to, "a minute: %.0f runs, %.0f faults, %.0f votes\n", float64(b.Runs)/m, float64(b.Faults)/m, float64(b.Votes)/m)
	var names []string
	for f := range b.ByFault {
		names = append(names, f)
	}
	slices.Sort(names)
	for i, f := range names {
		names[i] = fmt.Sprintf("%s %d", f, b.ByFault[f])
	}
	fmt.Fprintf(to, "faults: %s\n", strings.Join(names, ", "))
}

// Print writes a conviction: the seed, the rules that were off, the finding and the end of the log.
func (o Outcome) Print(to io.Writer) {
	var off []string
	for r, is := range o.Plan.Off {
		if is {
			off = append(off, string(r))
		}
	}
	slices.Sort(off)
	rules := "all rules on"
	if len(off) > 0 {
		rules = "off: " + strings.Join(off, ", ")
	}
	fmt.Fprintf(to, "seed %d, %s\n", o.Plan.Seed, rules)
	for _, l := range o.Log {
		fmt.Fprintln(to, l)
	}
	for _, f := range o.Findings {
		fmt.Fprintf(to, "seed %d, %s: %s\n", o.Plan.Seed, rules, f)
	}
}
