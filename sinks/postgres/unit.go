package postgres

import (
	"context"
	"fmt"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/postgres"
)

// Unit starts to take rows of one table.
func (s *Sink) Unit(_ context.Context, u stage.Unit) (stage.UnitWriter, error) {
	b := s.byName[u.Table]
	if u.Part != stage.DB || b == nil {
		return nil, fmt.Errorf("unit %s: table %q is not in the plan of this sink", u.ID, u.Table)
	}
	return &unit{sink: s, loader: loader{table: &b.Table}}, nil
}

// unit loads rows in one transaction on a session of its own.
type unit struct {
	sink *Sink
	loader
}

// Open waits for a session and starts the transaction.
func (u *unit) Open(ctx context.Context, e stage.Entry) error {
	if want := stage.DB + "/" + u.table.Name; e.Kind != stage.Table || e.Path != want || u.conn != nil {
		return fmt.Errorf("entry %s in a unit of table %s", e.Path, want)
	}
	conn, err := u.sink.pool.Take(ctx)
	if err != nil {
		return err
	}
	u.start(conn)
	if _, err := conn.Exec(ctx, "BEGIN"); err != nil {
		return conn.Explain(err, "starting to load table %s", conn.Site.Table(u.table.Name))
	}
	return nil
}

// Write loads a chunk.
func (u *unit) Write(ctx context.Context, c stage.Chunk) error {
	if u.conn == nil {
		return fmt.Errorf("rows of table %s before it was opened", u.table.Name)
	}
	return u.load(ctx, c.Data, c.Rows)
}

// Close does nothing: the rows are kept with Commit.
func (u *unit) Close(context.Context, stage.Digest) error { return nil }

// Same is for files.
func (u *unit) Same(_ context.Context, e stage.Entry) error {
	return fmt.Errorf("entry %s: a table's rows are never known beforehand", e.Path)
}

// Drop takes back what was loaded.
func (u *unit) Drop(ctx context.Context) error { return u.end(ctx, "ROLLBACK") }

// Loss is the source's, and nothing to this sink.
func (u *unit) Loss(context.Context, stage.Loss) error { return nil }

// Commit keeps the rows.
func (u *unit) Commit(ctx context.Context) error { return u.end(ctx, "COMMIT") }

// Abort takes back what was loaded.
func (u *unit) Abort(ctx context.Context) error {
	if u.conn != nil && u.conn.IsClosed() { // which has taken it back
		u.release()
		return nil
	}
	return u.end(ctx, "ROLLBACK")
}

// Refused lists the rows that the server did not take.
func (u *unit) Refused() []stage.Loss { return u.refused }

func (u *unit) end(ctx context.Context, sql string) error {
	if u.conn == nil {
		return nil
	}
	conn := u.conn
	defer u.release()
	if sql == "ROLLBACK" {
		u.refused = nil
	}
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
