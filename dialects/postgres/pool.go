package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
)

// Pool is a fixed number of sessions shared by workers. A lost session is reopened
// when it is needed. It is safe for concurrent use.
//
// It is not pgxpool, which cannot begin with fewer sessions than it was asked for.
type Pool struct {
	open func(context.Context) (*Conn, error)
	free chan *Conn

	mu  sync.Mutex
	all []*Conn
}

// OpenPool opens n sessions. If the server has fewer to give, but at least one, the
// Pool is smaller: compare Size with n.
func OpenPool(ctx context.Context, n int, open func(context.Context) (*Conn, error)) (*Pool, error) {
	p := &Pool{open: open, free: make(chan *Conn, n)}
	for range n {
		c, err := open(ctx)
		if err != nil {
			if Code(err) == "53300" && len(p.all) > 0 {
				break
			}
			return nil, errors.Join(err, p.Close(context.WithoutCancel(ctx)))
		}
		p.all = append(p.all, c)
		p.free <- c
	}
	return p, nil
}

// Size returns the number of sessions.
func (p *Pool) Size() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.all)
}

// Take waits for a session. Return it with Give.
func (p *Pool) Take(ctx context.Context) (*Conn, error) {
	select {
	case c := <-p.free:
		if !c.IsClosed() {
			return c, nil
		}
		fresh, err := p.open(ctx)
		if err != nil {
			p.free <- c
			return nil, fmt.Errorf("%s: connection lost; reconnecting failed: %w", c.Address, err)
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		p.all[slices.Index(p.all, c)] = fresh
		return fresh, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting for a connection: %w", ctx.Err())
	}
}

// Give returns a session to the pool.
func (p *Pool) Give(c *Conn) { p.free <- c }

// Each calls do for every item, with as many concurrent calls as there are sessions,
// and stops at the first error.
func Each[T any](ctx context.Context, p *Pool, items []T, do func(ctx context.Context, c *Conn, item T) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(max(p.Size(), 1))
	for _, item := range items {
		if ctx.Err() != nil {
			if err := g.Wait(); err != nil {
				return err
			}
			return context.Cause(ctx)
		}
		g.Go(func() error {
			c, err := p.Take(ctx)
			if err != nil {
				return err
			}
			defer p.Give(c)
			return do(ctx, c, item)
		})
	}
	return g.Wait()
}

// Close closes all sessions. None may be in use.
func (p *Pool) Close(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var errs []error
	for _, c := range p.all {
		errs = append(errs, c.Close(ctx))
	}
	return errors.Join(errs...)
}
