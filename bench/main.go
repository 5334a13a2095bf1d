// Bench measures Vault against its peers on one machine in one run: it generates a
// sample site on the test servers, has each program do the same work in turn, and
// prints medians and ratios. "make bench" runs it; docs/performance.md explains the
// numbers.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

func main() {
	factor := flag.String("factor", "1", "size of the sample site, relative to the default")
	times := flag.Int("times", 3, "how often each program runs each contest; medians are printed")
	program := flag.String("vault", "bin/vault", "the program to measure")
	only := flag.String("only", "", "run only contests whose name begins with this")
	dir := flag.String("dir", "", "directory for the site and the results (default: a temporary one)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *program, *factor, *times, *dir, *only); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, program, factor string, times int, dir, only string) (err error) {
	if times < 1 {
		return fmt.Errorf("-times is %d, but must be at least 1", times)
	}
	if dir, err = os.MkdirTemp(dir, "vault-bench-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	s, err := newSite(dir, program)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.drop()) }()
	if err := s.fill(ctx, factor); err != nil {
		return err
	}
	for _, c := range contests(s) {
		if !strings.HasPrefix(c.name, only) {
			continue
		}
		if err := c.run(ctx, times, os.Stdout); err != nil {
			return err
		}
	}
	return nil
}
