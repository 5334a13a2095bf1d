package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/go-sql-driver/mysql"

	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

// unit loads the rows of one unit over a connection of its own, each chunk in a
// transaction.
type unit struct {
	sink    *sink
	conn    *sql.Conn
	table   *schema.Table
	loader  *loader // nil: by INSERT
	insert  inserter
	refused []stage.Loss
}

// Unit starts to take rows of a table.
func (s *sink) Unit(ctx context.Context, u stage.Unit) (stage.UnitWriter, error) {
	for k := range s.tables {
		if t := &s.tables[k]; t.Name == u.Table {
			conn, err := s.server.Conn(ctx)
			if err != nil {
				return nil, fmt.Errorf("sink mysql: %s: opening a connection: %w", s.server.Address, err)
			}
			w := &unit{sink: s, conn: conn, table: t}
			w.insert = newInserter(s, t)
			if s.cfg.Load != loadInsert && s.server.LocalData {
				w.loader = newLoader(s.cfg.Prefix+t.Name, t)
			}
			return w, nil
		}
	}
	return nil, fmt.Errorf("sink mysql: unit %s: there is no table %q in the plan", u.ID, u.Table)
}

func (w *unit) Open(context.Context, stage.Entry) error { return nil }

// Write loads one chunk. The server turns errors of LOAD DATA LOCAL into warnings
// and goes on with changed values, so a chunk with a warning or a missing row is rolled back
// and inserted strictly, to find the rows that are refused.
func (w *unit) Write(ctx context.Context, c stage.Chunk) error {
	if err := w.write(ctx, c); err != nil {
		return fmt.Errorf("sink mysql: table %s: %w", w.table.Name, err)
	}
	return nil
}

func (w *unit) write(ctx context.Context, c stage.Chunk) error {
	if w.loader != nil && !w.insert.mayRefuse(c.Data) {
		clean, err := w.loader.load(ctx, w.conn, c)
		if clean || err != nil {
			return err
		}
	}
	return w.retry(ctx, func() error {
		tx, err := w.conn.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		refused, err := w.insert.chunk(ctx, tx, c)
		if err != nil {
			return errors.Join(err, abandonedTx(tx.Rollback()))
		}
		if err := tx.Commit(); err != nil {
			return err
		}
		w.refused = append(w.refused, refused...)
		if len(refused) > 0 {
			w.sink.mu.Lock()
			w.sink.refused[w.table.Name] = true
			w.sink.mu.Unlock()
		}
		return nil
	})
}

const (
	lockWaitTimeout = 1205
	deadlock        = 1213
)

// retry runs a transaction again that lost against another one.
func (w *unit) retry(ctx context.Context, transaction func() error) error {
	const tries = 5
	for n := 1; ; n++ {
		err := transaction()
		var refused *mysql.MySQLError
		if n < tries && ctx.Err() == nil && errors.As(err, &refused) && (refused.Number == deadlock || refused.Number == lockWaitTimeout) {
			continue
		}
		return err
	}
}

// abandonedTx takes away what rolling back over an ended connection says: the
// server has rolled back itself.
func abandonedTx(err error) error {
	if errors.Is(err, sql.ErrTxDone) || errors.Is(err, mysql.ErrInvalidConn) || errors.Is(err, sql.ErrConnDone) {
		return nil
	}
	return err
}

func (w *unit) Close(context.Context, stage.Digest) error { return nil }

func (w *unit) Same(context.Context, stage.Entry) error {
	return errors.New("sink mysql: a table is never the same as before")
}

func (w *unit) Drop(context.Context) error {
	return errors.New("sink mysql: rows that are loaded can't be dropped")
}

func (w *unit) Loss(context.Context, stage.Loss) error { return nil }

func (w *unit) Refused() []stage.Loss { return w.refused }

// Commit gives the connection back: each chunk was committed when it was written.
func (w *unit) Commit(ctx context.Context) error { return w.Abort(ctx) }

func (w *unit) Abort(context.Context) error {
	if w.conn == nil {
		return nil
	}
	err := w.conn.Close()
	w.conn = nil
	if err != nil && !errors.Is(err, sql.ErrConnDone) {
		return fmt.Errorf("sink mysql: table %s: giving the connection back: %w", w.table.Name, err)
	}
	return nil
}
