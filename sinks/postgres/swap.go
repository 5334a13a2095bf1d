package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/postgres"
)

// swap is a site created beside the one that it replaces.
type swap struct {
	beside *postgres.Beside
	done   []postgres.Rename // renames done or attempted by Publish
}

// standing lists what is replaced, and returns an error if other objects depend on
// it.
func (s *Sink) standing(ctx context.Context, conn *postgres.Conn) ([]postgres.Object, error) {
	l, err := s.list(ctx, conn)
	if err != nil {
		return nil, err
	}
	dependents, err := conn.Dependents(ctx, l.Replaced())
	if err != nil {
		return nil, err
	}
	if len(dependents) > 0 {
		return nil, failure.New(failure.Refused, "%s: %w", conn.Address, needed(dependents))
	}
	return conn.Objects(ctx, l)
}

func needed(dependents []string) error {
	return fmt.Errorf("replace: objects that are not replaced depend on the existing tables: %s; drop it first and recreate it after the restore", postgres.Abridged(dependents))
}

// besides chooses names that do not conflict with those being replaced.
func (s *Sink) besides(ctx context.Context, conn *postgres.Conn) (*postgres.Names, error) {
	old, err := s.standing(ctx, conn)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(old))
	for i, o := range old {
		names[i] = o.Name
	}
	return conn.Names(ctx, names...)
}

// exchange gives the old site's names to the new one, all or nothing.
func (s *Sink) exchange(ctx context.Context, conn *postgres.Conn) error {
	const attempts = 5
	for try := 1; ; try++ {
		err := s.tryExchange(ctx, conn)
		if postgres.Code(err) != deadlock || try == attempts {
			return err
		}
	}
}

const deadlock = "40P01" // the site's own sessions lock tables in another order

func (s *Sink) tryExchange(ctx context.Context, conn *postgres.Conn) (err error) {
	if _, err := conn.Exec(ctx, "BEGIN"); err != nil {
		return conn.Explain(err, "starting to exchange the sites")
	}
	if err := s.rename(ctx, conn); err != nil {
		if conn.IsClosed() {
			return err
		}
		if _, ended := conn.Exec(context.WithoutCancel(ctx), "ROLLBACK"); ended != nil {
			err = errors.Join(err, conn.Explain(ended, "rolling back the exchange"))
		}
		return err
	}
	if _, err = conn.Exec(ctx, "COMMIT"); err != nil {
		return conn.Explain(err, "exchanging the sites")
	}
	return nil
}

// rename does the renaming in the transaction of an exchange.
func (s *Sink) rename(ctx context.Context, conn *postgres.Conn) error {
	l, err := s.list(ctx, conn)
	if err != nil {
		return err
	}
	if len(l.Tables) > 0 {
		names := make([]string, len(l.Tables))
		for i, t := range l.Tables {
			names[i] = conn.Site.Table(t.Name)
		}
		if _, err := conn.Exec(ctx, "LOCK TABLE "+strings.Join(names, ", ")+" IN ACCESS EXCLUSIVE MODE"); err != nil {
			return conn.Explain(err, "locking the site that is replaced")
		}
	}
	old, err := s.standing(ctx, conn)
	if err != nil {
		return err
	}
	made, err := s.made(ctx, conn)
	if err != nil {
		return err
	}
	s.swap.done = nil
	for _, o := range old {
		s.swap.done = append(s.swap.done, s.swap.beside.Old(o))
	}
	s.swap.done = append(s.swap.done, made...)
	statements := []string{"DROP TABLE " + s.work.Table(postgres.Marker)}
	if s.exposed {
		statements[0] = s.work.Rename('r', s.work.Full(postgres.Marker), s.work.Full(published))
	}
	for _, r := range s.swap.done {
		statements = append(statements, conn.Site.Rename(r.Kind, r.From, r.To))
	}
	if err := conn.ExecAll(ctx, statements...); err != nil {
		return conn.Explain(err, "exchanging the old site and the new one")
	}
	return nil
}

// made lists what gets its final name: indexes that rows are too large for were not
// created.
func (s *Sink) made(ctx context.Context, conn *postgres.Conn) ([]postgres.Rename, error) {
	names, err := s.beside(conn).Names(ctx)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(s.swap.beside.Renames), func(r postgres.Rename) bool { return !names.Taken(r.From) }), nil
}

// beside returns the session as one of the new site.
func (s *Sink) beside(conn *postgres.Conn) *postgres.Conn {
	other := *conn
	other.Site = s.work
	return &other
}

// exchanged reports whether the exchange was executed, which drops or renames the table of
// the run's units.
func (s *Sink) exchanged(ctx context.Context, conn *postgres.Conn) (bool, error) {
	var loading bool
	if err := conn.QueryRow(ctx, "SELECT to_regclass($1) IS NOT NULL", s.work.Table(postgres.Marker)).Scan(&loading); err != nil {
		return false, conn.Explain(err, "checking whether the sites were exchanged")
	}
	return !loading, nil
}

// publishSwap exchanges the sites. If the server's answer is lost, it checks the
// outcome and retries if nothing was done. What cannot be dropped of the old site is
// left to the next restore.
func (s *Sink) publishSwap(ctx context.Context) error {
	conn, err := s.connect(ctx)
	if err != nil {
		return err
	}
	s.publishing = true
	const attempts = 3
	for try := 1; ; try++ {
		failed := s.exchange(ctx, conn)
		if failed == nil {
			break
		}
		if !postgres.Lost(failed) {
			return failed
		}
		if conn, err = s.connect(ctx); err != nil { // it holds the lock, so the lost session has ended
			return errors.Join(failed, err)
		}
		done, err := s.exchanged(ctx, conn)
		if err != nil || !done && try == attempts {
			return errors.Join(failed, err)
		}
		if done {
			break
		}
	}
	s.publishing, s.began = false, false
	_, old := conn.Site.Scratch()
	s.left = s.remove(ctx, conn, old)
	if !s.exposed {
		s.left = errors.Join(s.left, unlock(ctx, conn))
	}
	return nil
}

// Notes reports what remains of the old site.
func (s *Sink) Notes(context.Context) ([]stage.Note, error) {
	if s.left == nil {
		return nil, nil
	}
	return []stage.Note{{Path: stage.DB, Text: fmt.Sprintf("the renamed old tables could not all be dropped; the next restore tries again: %v", s.left)}}, nil
}

// abortSwap removes the new site. If it has already replaced the old one although
// Publish failed, the old one is restored first.
func (s *Sink) abortSwap(ctx context.Context) error {
	if err := s.pool.Close(ctx); err != nil {
		return err
	}
	conn, err := s.connect(ctx)
	if err != nil {
		return err
	}
	if s.publishing {
		if err := s.putBack(ctx, conn); err != nil {
			return err
		}
		s.publishing = false
	}
	if err := s.remove(ctx, conn, strings.TrimSuffix(s.work.Prefix, "_")); err != nil {
		return err
	}
	s.began = false
	return unlock(ctx, conn)
}

func (s *Sink) putBack(ctx context.Context, conn *postgres.Conn) error {
	done, err := s.exchanged(ctx, conn)
	if err != nil || !done {
		return err
	}
	var back []string
	for _, r := range slices.Backward(s.swap.done) {
		back = append(back, conn.Site.Rename(r.Kind, r.To, r.From))
	}
	if err := conn.ExecAll(ctx, back...); err != nil { // one transaction
		return conn.Explain(err, "putting the old site back")
	}
	return nil
}
