package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/dustin/go-humanize"
)

// contest is one kind of work that several programs do in turn.
type contest struct {
	name    string
	input   int64 // bytes processed, for rates
	entries []entry
}

// entry is how one program does a contest's work. The first entry is Vault's.
type entry struct {
	name string
	// prepare prepares the starting point of the work. It is not measured.
	prepare func(ctx context.Context) error
	work    func(ctx context.Context) (cost, error)
	// size returns the bytes of the result; nil: not reported.
	size func() (int64, error)
}

// run has every entry do its work a number of times, in rotating order, and prints
// the costs.
func (c *contest) run(ctx context.Context, times int, w io.Writer) error {
	costs := make([][]cost, len(c.entries))
	sizes := make([]int64, len(c.entries))
	order := make([]int, len(c.entries))
	for i := range order {
		order[i] = i
	}
	for range times {
		for _, i := range order {
			e := &c.entries[i]
			if e.prepare != nil {
				if err := e.prepare(ctx); err != nil {
					return fmt.Errorf("%s, before %s: %w", c.name, e.name, err)
				}
			}
			took, err := e.work(ctx)
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			costs[i] = append(costs[i], took)
			if e.size != nil {
				if sizes[i], err = e.size(); err != nil {
					return fmt.Errorf("%s, after %s: %w", c.name, e.name, err)
				}
			}
		}
		slices.Reverse(order)
	}
	return c.print(w, costs, sizes)
}

func (c *contest) print(w io.Writer, costs [][]cost, sizes []int64) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "\n%-32s\tmedian\trange\tper second\tCPU per GiB\tresult\tpeak memory\tVault's speed\t\n", c.name)
	ours := median(costs[0])
	for i, e := range c.entries {
		mid := median(costs[i])
		low, high, memory := costs[i][0].wall, costs[i][0].wall, int64(0)
		var cpu time.Duration
		for _, x := range costs[i] {
			low, high, memory = min(low, x.wall), max(high, x.wall), max(memory, x.memory)
			cpu += x.cpu / time.Duration(len(costs[i]))
		}
		result, ratio := "", ""
		if sizes[i] > 0 {
			result = humanize.IBytes(uint64(sizes[i]))
		}
		if i > 0 {
			ratio = fmt.Sprintf("%.2f×", mid.Seconds()/ours.Seconds())
		}
		fmt.Fprintf(t, "%-32s\t%.2f s\t%.2f–%.2f s\t%s\t%.1f s\t%s\t%s\t%s\t\n", e.name, mid.Seconds(), low.Seconds(), high.Seconds(),
			humanize.IBytes(uint64(float64(c.input)/mid.Seconds())), cpu.Seconds()*(1<<30)/float64(c.input), result, humanize.IBytes(uint64(memory)), ratio)
	}
	return t.Flush()
}

func median(costs []cost) time.Duration {
	walls := make([]time.Duration, len(costs))
	for i, c := range costs {
		walls[i] = c.wall
	}
	slices.Sort(walls)
	n := len(walls)
	return (walls[(n-1)/2] + walls[n/2]) / 2
}
