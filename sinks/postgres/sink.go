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

	conn    *postgres.Conn // for everything that is not done concurrently
	pool    *postgres.Pool
	plan    *stage.Plan
	work    postgres.Site // where the tables are created: the site itself, or beside it
	swap    *swap         // nil: the tables are created in place
	builder *postgres.Builder
	builds  []postgres.Build
	byName  map[string]*postgres.Build
	size    map[string]int64        // estimated bytes by table
	lost    map[string][]stage.Loss // losses caused by rows, by table
	began   bool
	locked  bool // conn holds the lock on the target
	// publishing is set while the outcome of the exchange is unknown.
	publishing bool
	exposed    bool  // the marker names the run, and stays under another name until Settle
	left       error // why old tables still exist after the exchange
}

var _ stage.RowSink = (*Sink)(nil)

// connect returns the session that the sink keeps, or a new one if it was lost, since
// it is idle while rows are loaded.
func (s *Sink) connect(ctx context.Context) (*postgres.Conn, error) {
	if s.conn != nil && !s.conn.IsClosed() {
		if err := s.conn.Ping(ctx); err == nil {
			return s.conn, nil
		} else if !postgres.Lost(err) {
			return nil, s.conn.Explain(err, "checking the session")
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
	if err == nil && s.locked { // the old session may take some time to end
		err = lock(ctx, conn, 30*time.Second)
	}
	return conn, err
}

// Abort removes what was created beside the existing site. In place it leaves the
// site with its marker.
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

// Close closes all sessions.
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

// mark creates the table that marks an unfinished restore. It has a row for each
// committed unit: the SHA-256 of its ID, and its receipt as JSON.
func mark(ctx context.Context, conn *postgres.Conn) error {
	table := conn.Site.Table(postgres.Marker)
	err := conn.ExecAll(ctx, "CREATE TABLE IF NOT EXISTS "+table+" (unit bytea PRIMARY KEY, receipt bytea NOT NULL)", "COMMENT ON TABLE "+table+
		" IS 'A restore into this site is not finished, or its proof failed: the site is incomplete. Restore it again with replace: true.'")
	if err != nil {
		return conn.Explain(err, "creating table %s, which marks an unfinished restore", table)
	}
	return nil
}

// remark recreates the marker, because that of an unfinished run lists that run's
// units.
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
