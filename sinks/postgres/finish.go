package postgres

import (
	"context"
	"errors"
	"sync"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/postgres"
)

// statement is a statement to execute after a table's rows are loaded.
type statement struct {
	table string
	postgres.IndexBuild
}

// Finish builds indexes concurrently, then primary keys, sequences and statistics. It
// reports errors of all tables.
func (s *Sink) Finish(ctx context.Context, _ *stage.Outcome) error {
	var indexes []statement
	for _, b := range s.builds {
		for _, x := range b.Indexes {
			indexes = append(indexes, statement{b.Table.Name, x})
		}
	}
	run := finishing{lost: map[string][]stage.Loss{}, then: map[string][]string{}}
	err := postgres.Each(ctx, s.pool, indexes, run.index)
	if err := errors.Join(append(run.faults, err)...); err != nil {
		return err
	}
	s.lost = run.lost
	err = postgres.Each(ctx, s.pool, s.builds, func(ctx context.Context, c *postgres.Conn, b postgres.Build) error {
		for _, sql := range append(run.then[b.Table.Name], b.Complete...) {
			if _, err := c.Exec(ctx, sql); err != nil {
				return run.fault(ctx, c.Explain(err, "table %s: %s", c.Site.Table(b.Table.Name), sql))
			}
		}
		return nil
	})
	return errors.Join(append(run.faults, err)...)
}

// Publish removes the marker, or replaces the old site with the new one.
func (s *Sink) Publish(ctx context.Context) error {
	if s.swap != nil {
		return s.publishSwap(ctx)
	}
	conn, err := s.connect(ctx)
	if err != nil {
		return err
	}
	err = unmark(ctx, conn)
	if postgres.Lost(err) { // it may have been executed
		if conn, err = s.connect(ctx); err == nil {
			err = unmark(ctx, conn)
		}
	}
	if err != nil {
		return err
	}
	return unlock(ctx, conn)
}

// finishing collects the results of all tables' statements.
type finishing struct {
	mu     sync.Mutex
	faults []error                 // errors of single statements
	lost   map[string][]stage.Loss // by table
	then   map[string][]string     // statements that follow the indexes, by table
}

// index builds an index. If a row is too large for it, the index is lost but not the
// row.
func (f *finishing) index(ctx context.Context, c *postgres.Conn, s statement) error {
	defer stage.Step(ctx, "building index "+s.Name+" of "+s.table)()
	_, err := c.Exec(ctx, s.SQL)
	if err != nil && !postgres.ExceedsIndex(err) {
		return f.fault(ctx, c.Explain(err, "table %s: %s", c.Site.Table(s.table), s.SQL))
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case err != nil:
		reason := c.Explain(err, "a row is too large for it").Error()
		f.lost[s.table] = append(f.lost[s.table], stage.LostIndex(s.table, s.Name, reason))
	default:
		f.then[s.table] = append(f.then[s.table], s.Then...)
	}
	return nil
}

// fault records an error of one statement; it returns an error that ends all of them.
func (f *finishing) fault(ctx context.Context, err error) error {
	if postgres.Code(err) == "" || postgres.Lost(err) || ctx.Err() != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults = append(f.faults, err)
	return nil
}
