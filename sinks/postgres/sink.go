package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/postgres"
)

// Sink writes a site's tables.
type Sink struct {
	config Config
	env    stage.Env

	conn    *postgres.Conn // for all that is not done by many at once
	pool    *postgres.Pool
	plan    *stage.Plan
	work    postgres.Site // where the tables are made: the site itself, or beside it
	swap    *swap         // nil: the tables are made in place
	builder *postgres.Builder
	builds  []postgres.Build
	byName  map[string]*postgres.Build
	size    map[string]int64        // estimated bytes by table
	lost    map[string][]stage.Loss // by table, what its rows don't allow
	began   bool
	locked  bool // conn holds the lock on the target
	// publishing: the exchange was begun, and it is not known whether it was carried out.
	publishing bool
	left       error // why old tables are still there after the exchange
}

var _ stage.RowSink = (*Sink)(nil)

// connect gives the session that the sink keeps, a new one if it was lost: it has
// nothing to do for as long as rows are loaded.
func (s *Sink) connect(ctx context.Context) (*postgres.Conn, error) {
	if s.conn != nil && !s.conn.IsClosed() {
		if err := s.conn.Ping(ctx); err == nil {
			return s.conn, nil
		} else if !postgres.Lost(err) {
			return nil, s.conn.Explain(err, "asking whether the session is there")
		}
	}
	conn, err := s.config.Open(ctx)
	if err != nil {
		return nil, err
	}
	if s.conn != nil {
		err = s.conn.Close(ctx)
	}
	s.conn = conn
	if err == nil && s.locked { // the old session may take a moment to end
		err = lock(ctx, conn, 30*time.Second)
	}
	return conn, err
}

// Abort removes what was made beside the site that is there. One that is made in
// place keeps the table that says that it is not whole.
func (s *Sink) Abort(ctx context.Context) error {
	if !s.began {
		return nil
	}
	if s.swap != nil {
		return s.abortSwap(ctx)
	}
	conn, err := s.connect(ctx)
	if err != nil {
		return err
	}
	return errors.Join(mark(ctx, conn), unlock(ctx, conn))
}

// Close ends all sessions.
func (s *Sink) Close(ctx context.Context) error {
	var errs []error
	if s.pool != nil {
		errs = append(errs, s.pool.Close(ctx))
	}
	if s.conn != nil {
		errs = append(errs, s.conn.Close(ctx))
	}
	return errors.Join(errs...)
}

// mark makes the table that stands for a restore that is not finished. It has a
// row for each unit that is committed: the SHA-256 of its ID, and its receipt as JSON.
func mark(ctx context.Context, conn *postgres.Conn) error {
	table := conn.Site.Table(postgres.Marker)
	err := conn.ExecAll(ctx, "CREATE TABLE IF NOT EXISTS "+table+" (unit bytea PRIMARY KEY, receipt bytea NOT NULL)", "COMMENT ON TABLE "+table+
		" IS 'A restore into this site is not finished, or its proof failed: the site is not whole. Restore it again with replace: true.'")
	if err != nil {
		return conn.Explain(err, "making table %s, which marks an unfinished restore", table)
	}
	return nil
}

// remark makes the mark anew: one that an unfinished run has left knows its units.
func remark(ctx context.Context, conn *postgres.Conn) error {
	table := conn.Site.Table(postgres.Marker)
	if _, err := conn.Exec(ctx, "DROP TABLE IF EXISTS "+table); err != nil {
		return conn.Explain(err, "dropping table %s, which marks an unfinished restore", table)
	}
	return mark(ctx, conn)
}

func unmark(ctx context.Context, conn *postgres.Conn) error {
	table := conn.Site.Table(postgres.Marker)
	if _, err := conn.Exec(ctx, "DROP TABLE IF EXISTS "+table); err != nil {
		return conn.Explain(err, "dropping table %s, which marks an unfinished restore", table)
	}
	return nil
}
