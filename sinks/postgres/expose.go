package postgres

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/postgres"
)

var _ stage.Decider = (*Sink)(nil)

// published is the name, beside the site, that the marker gets with the exchange if its
// comment names the run.
const published = "published"

func publication(run string) string {
	return "Restored by run " + run + "; the end of the run drops this table"
}

// Expose names the run in the comment of the table of the run's units.
func (s *Sink) Expose(ctx context.Context, run string) error {
	if s.swap == nil {
		return nil
	}
	conn, err := s.connect(ctx)
	if err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, "COMMENT ON TABLE "+s.work.Table(postgres.Marker)+" IS "+postgres.Literal(publication(run))); err != nil {
		return conn.Explain(err, "recording the run")
	}
	s.exposed = true
	return nil
}

// Published reports whether the table that names the run has the name that it gets with the
// exchange.
func (s *Sink) Published(ctx context.Context, run string) (done bool, _ error) {
	conn, err := s.connect(ctx)
	if err != nil {
		return false, err
	}
	made, _ := conn.Site.Scratch()
	err = conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_class WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1)
		AND left(relname, length($2)) = $2 AND right(relname, length($3)) = $3 AND obj_description(oid, 'pg_class') = $4)`,
		conn.Site.Schema, made, "_"+published, publication(run)).Scan(&done)
	if err != nil {
		return false, conn.Explain(err, "checking whether the sites were exchanged")
	}
	return done, nil
}

// Settle drops the table that names the run, and whatever else is beside the site if that
// run has died.
func (s *Sink) Settle(ctx context.Context) error {
	if s.plan != nil && !s.exposed { // in place: nothing was exposed
		return nil
	}
	conn, err := s.connect(ctx)
	if err != nil {
		return err
	}
	if s.exposed {
		s.left = errors.Join(s.left, s.remove(ctx, conn, strings.TrimSuffix(s.work.Prefix, "_")), unlock(ctx, conn))
		s.locked = false
		return nil
	}
	const patience = 2 * time.Second // for the session of a restore that was just killed
	if err := lock(ctx, conn, patience); err != nil {
		return err
	}
	err = endLoaders(ctx, conn)
	if err == nil {
		err = s.removeLeftovers(ctx, conn)
	}
	return errors.Join(err, unlock(ctx, conn))
}
