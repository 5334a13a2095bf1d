package mysql

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/mysql"
)

// Publish makes the new tables the site's. In place they already are, and the marker
// is removed. Otherwise one statement renames the old tables away and the new ones to
// their final names; the server executes it completely or not at all, even in a
// crash.
func (s *sink) Publish(ctx context.Context) error {
	if s.plan.Replace == stage.ReplaceInPlace {
		if _, err := s.server.ExecContext(ctx, "DROP TABLE IF EXISTS "+mysql.Ident(s.marker())); err != nil {
			return fmt.Errorf("%s: removing the marker of an unfinished restore: %w", s.server.Address, err)
		}
		return s.unlock(ctx)
	}
	if err := s.holdLock(ctx); err != nil {
		return err
	}
	if err := s.swap(ctx); err != nil {
		return err
	}
	// The new site is complete from here on, whatever happens to the old one.
	s.left = s.dropOld(ctx)
	return nil
}

// Notes reports what remains of the old site.
func (s *sink) Notes(context.Context) ([]stage.Note, error) {
	if s.left == nil {
		return nil, nil
	}
	return []stage.Note{{Path: stage.DB, Text: fmt.Sprintf("%s: the old tables beside the new ones (%s%s…) could not all be dropped; the next restore tries again: %v",
		s.server.Address, s.cfg.Prefix, mysql.Outgoing, s.left)}}, nil
}

// swap exchanges the current old site for the new one.
func (s *sink) swap(ctx context.Context) error {
	st, err := s.server.Inspect(ctx, s.cfg.Prefix)
	if err != nil {
		return err
	}
	old, err := s.standing(st, s.plan)
	if err != nil {
		return err
	}
	if err := s.checkReferrers(ctx, old); err != nil {
		return err
	}
	r := s.renaming(old)
	r.out(s.receipts, false) // last: exchanged uses its name to determine the outcome
	s.exchange = r
	err = patiently(ctx, func() error {
		_, err := s.server.ExecContext(ctx, r.statement())
		return err
	})
	if err == nil {
		return nil
	}
	if mysql.Number(err) == 0 || mysql.Lost(err) { // no answer from the server
		done, asked := s.exchanged(ctx)
		if done {
			return nil
		}
		err = errors.Join(err, asked)
	}
	return fmt.Errorf("%s: exchanging the old tables for the new ones: %w", s.server.Address, err)
}

// exchanged reports whether the server has executed swap's statement.
func (s *sink) exchanged(ctx context.Context) (bool, error) {
	if s.exchange == nil {
		return false, nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 90*time.Second)
	defer cancel()
	_, err := s.server.ExecContext(ctx, "DO (SELECT COUNT(*) FROM "+mysql.Ident(s.exchange.last())+")")
	switch {
	case err == nil:
		return true, nil
	case mysql.Number(err) == noSuchTable:
		return false, nil
	}
	return false, fmt.Errorf("%s: checking whether the tables were exchanged: %w", s.server.Address, err)
}

const noSuchTable = 1146

// Abort drops what was created beside the old site, which was never touched. In place
// it leaves the incomplete site with its marker: sources refuse it, and sinks require
// replace.
func (s *sink) Abort(ctx context.Context) error {
	if !s.begun {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Minute)
	defer cancel()
	if s.plan.Replace == stage.ReplaceInPlace {
		return errors.Join(s.mark(ctx, s.marker()), s.unlock(ctx))
	}
	// An exchange still in progress on the server ends before this begins, or finds
	// nothing to exchange afterwards.
	if err := s.dropIncoming(ctx); err != nil {
		return errors.Join(err, s.unlock(ctx))
	}
	done, err := s.exchanged(ctx)
	if err != nil {
		return errors.Join(err, s.unlock(ctx))
	}
	s.begun = false
	if !done {
		return s.unlock(ctx)
	}
	err = failure.New(failure.Failed, "%s: the server exchanged the tables, but its answer was lost; the new site is in place, proven and complete", s.server.Address)
	return errors.Join(err, s.dropOld(ctx))
}

// dropOld drops the old tables. Those of an exposed site's receipts stay until Settle, and so
// does the lock.
func (s *sink) dropOld(ctx context.Context) error {
	if s.exposed {
		return s.drop(ctx, s.exchange.views, s.exchange.tables[:len(s.exchange.tables)-1])
	}
	return errors.Join(s.drop(ctx, s.exchange.views, s.exchange.tables), s.unlock(ctx))
}

// patiently retries what fails because others use the tables. Each attempt waits as
// long as the session's lock_wait_timeout.
func patiently(ctx context.Context, do func() error) error {
	const most = 5
	for n := 1; ; n++ {
		err := do()
		if number := mysql.Number(err); number != lockWaitTimeout && number != deadlock || n == most || ctx.Err() != nil {
			return err
		}
	}
}

// renames is a RENAME TABLE of many tables, which the server executes completely or
// not at all.
type renames struct {
	sink          *sink
	pairs         []string
	views, tables []string // to be dropped afterwards, by their outgoing names
}

// renaming renames the old site away and the new one to its final names.
func (s *sink) renaming(old standing) *renames {
	r := &renames{sink: s}
	for _, view := range old.views {
		r.out(view, true)
	}
	for _, name := range old.tables {
		r.out(name, false)
	}
	for k := range s.tables {
		r.add(s.tables[k].at, s.final(k))
	}
	return r
}

func (r *renames) add(from, to string) {
	r.pairs = append(r.pairs, mysql.Ident(from)+" TO "+mysql.Ident(to))
}

func (r *renames) out(name string, view bool) {
	to := r.sink.beside(mysql.Outgoing, len(r.views)+len(r.tables))
	r.add(name, to)
	if view {
		r.views = append(r.views, to)
	} else {
		r.tables = append(r.tables, to)
	}
}

func (r *renames) last() string { return r.tables[len(r.tables)-1] }

func (r *renames) statement() string { return "RENAME TABLE " + strings.Join(r.pairs, ", ") }
