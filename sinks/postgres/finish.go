package postgres

import (
	"context"
	"errors"
	"sync"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/postgres"
)

// statement is one of a table's that are executed after its rows are there.
type statement struct{ table, sql string }

// Finish builds indexes side by side, then primary keys, sequences and
// statistics, and takes the mark away. What goes wrong is reported for all tables.
func (s *Sink) Finish(ctx context.Context, _ *stage.Outcome) error {
	var indexes []statement
	for _, b := range s.builds {
		for _, sql := range b.Indexes {
			indexes = append(indexes, statement{b.Table.Name, sql})
		}
	}
	if err := s.each(ctx, indexes); err != nil {
		return err
	}
	var errs faults
	err := postgres.Each(ctx, s.pool, s.builds, func(ctx context.Context, c *postgres.Conn, b postgres.Build) error {
		for _, sql := range b.Complete {
			if err := errs.run(ctx, c, statement{b.Table.Name, sql}); err != nil {
				return err
			}
		}
		return nil
	})
	if err := errors.Join(append(errs.all, err)...); err != nil {
		return err
	}
	conn, err := s.connect(ctx)
	if err != nil {
		return err
	}
	return unmark(ctx, conn)
}

func (s *Sink) each(ctx context.Context, statements []statement) error {
	var errs faults
	err := postgres.Each(ctx, s.pool, statements, errs.run)
	return errors.Join(append(errs.all, err)...)
}

// faults collects what the server refuses, so that the next statement is tried.
type faults struct {
	mu  sync.Mutex
	all []error
}

func (f *faults) run(ctx context.Context, c *postgres.Conn, s statement) error {
	_, err := c.Exec(ctx, s.sql)
	if err == nil {
		return nil
	}
	err = c.Explain(err, "table %s: %s", c.Site.Table(s.table), s.sql)
	if postgres.Code(err) == "" || postgres.Lost(err) || ctx.Err() != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all = append(f.all, err)
	return nil
}
