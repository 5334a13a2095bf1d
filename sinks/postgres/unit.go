package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/postgres"
)

// WriteRows waits for a session and starts a unit of rows of one table.
func (s *Sink) WriteRows(ctx context.Context, u stage.Unit) (stage.RowUnit, error) {
	b := s.byName[u.Table]
	if u.Part != stage.DB || b == nil {
		return nil, fmt.Errorf("unit %s: table %q is not in the plan of this sink", u.ID, u.Table)
	}
	conn, err := s.pool.Take(ctx)
	if err != nil {
		return nil, err
	}
	w := &unit{sink: s, id: u.ID, loader: loader{table: &b.Table}}
	w.start(conn)
	if _, err := conn.Exec(ctx, "BEGIN"); err != nil {
		return nil, errors.Join(conn.Explain(err, "starting to load table %s", conn.Site.Table(u.Table)), w.Abort(context.WithoutCancel(ctx)))
	}
	if w.before, err = committed(ctx, conn, u.ID); err != nil {
		return nil, errors.Join(err, w.Abort(context.WithoutCancel(ctx)))
	}
	return w, nil
}

// unit loads rows in one transaction on its own session.
type unit struct {
	sink *Sink
	id   string
	loader
	before *stage.Receipt // of an earlier attempt that was committed: nothing is written again
}

// Write loads a chunk.
func (u *unit) Write(ctx context.Context, c stage.Chunk) error {
	switch {
	case u.conn == nil:
		return fmt.Errorf("unit %s: rows of table %s after its end", u.id, u.table.Name)
	case u.before != nil:
		return nil
	}
	return u.load(ctx, c.Data, c.Rows)
}

// Loss ignores losses of the source.
func (u *unit) Loss(context.Context, stage.Loss) error { return nil }

// Commit commits the rows together with the receipt: if the server's answer is lost,
// the next attempt finds it.
func (u *unit) Commit(ctx context.Context) (*stage.Receipt, error) {
	if u.conn == nil {
		return nil, fmt.Errorf("unit %s has ended", u.id)
	}
	if u.before != nil {
		return u.before, u.end(ctx, "ROLLBACK")
	}
	r := &stage.Receipt{Rows: u.loaded - u.refused.Count(), Losses: u.refused.Losses()}
	if err := enter(ctx, u.conn, u.id, r); err != nil {
		return nil, err
	}
	if err := u.end(ctx, "COMMIT"); err != nil {
		return nil, err
	}
	return r, nil
}

// Abort rolls back what was loaded.
func (u *unit) Abort(ctx context.Context) error {
	if u.conn != nil && u.conn.IsClosed() { // the server has rolled back
		u.release()
		return nil
	}
	return u.end(ctx, "ROLLBACK")
}

func (u *unit) end(ctx context.Context, sql string) error {
	if u.conn == nil {
		return nil
	}
	conn := u.conn
	defer u.release()
	tag, err := conn.Exec(ctx, sql)
	if err != nil {
		return conn.Explain(err, "table %s: %s", conn.Site.Table(u.table.Name), sql)
	}
	if tag.String() != sql { // COMMIT of a failed transaction is a ROLLBACK
		return fmt.Errorf("%s: table %s: %s ended as %s", conn.Address, conn.Site.Table(u.table.Name), sql, tag)
	}
	return nil
}

func (u *unit) release() {
	u.sink.pool.Give(u.conn)
	u.conn = nil
}

func (l *loader) start(conn *postgres.Conn) {
	l.conn = conn
	l.copyFrom = "COPY " + conn.Site.Table(l.table.Name)
	if len(l.table.Columns) > 0 {
		l.copyFrom += " (" + postgres.Idents(l.table.ColumnNames()) + ")"
	}
	l.copyFrom += " FROM STDIN"
}
