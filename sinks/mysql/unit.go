package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/mysql"
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
	held    int // bytes of the refused rows
}

// Unit starts to take rows of a table.
func (s *sink) Unit(ctx context.Context, u stage.Unit) (stage.UnitWriter, error) {
	for k := range s.tables {
		if t := &s.tables[k]; t.Name == u.Table {
			conn, err := s.server.Conn(ctx)
			if err != nil {
				return nil, fmt.Errorf("%s: opening a connection: %w", s.server.Address, err)
			}
			w := &unit{sink: s, conn: conn, table: t}
			w.insert = newInserter(s, t)
			if s.cfg.Load != loadInsert && s.server.LocalData {
				w.loader = newLoader(s.cfg.Prefix+t.Name, t)
			}
			return w, nil
		}
	}
	return nil, fmt.Errorf("unit %s: there is no table %q in the plan", u.ID, u.Table)
}

func (w *unit) Open(context.Context, stage.Entry) error { return nil }

// Write loads one chunk. The server turns errors of LOAD DATA LOCAL into warnings
// and goes on with changed values, so a chunk with a warning or a missing row is rolled back
// and inserted strictly, to find the rows that are refused.
func (w *unit) Write(ctx context.Context, c stage.Chunk) error {
	if err := w.write(ctx, c); err != nil {
		return fmt.Errorf("table %s: %w", w.table.Name, err)
	}
	return nil
}

func (w *unit) write(ctx context.Context, c stage.Chunk) error {
	if done, err := w.load(ctx, c); done || err != nil {
		return err
	}
	return retry(ctx, func() error {
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
		return w.keep(refused)
	})
}

// load loads a chunk by LOAD DATA, if that is to be and the server takes every row.
func (w *unit) load(ctx context.Context, c stage.Chunk) (done bool, err error) {
	if w.loader == nil {
		return false, nil
	}
	if found, err := w.insert.hasNegativeZero(c.Data); found || err != nil {
		return false, err
	}
	done, err = w.loader.load(ctx, w.conn, c)
	if w.sink.cfg.Load == loadAuto && mysql.LocalDataForbidden(err) {
		w.loader = nil // something between us and the server forbids it, although the server doesn't
		return false, nil
	}
	return done, err
}

// What a unit remembers is bounded: a table that loses so many rows, or so many
// bytes of them, doesn't fit its target.
const (
	mostRefused      = 10_000
	mostRefusedBytes = 32 << 20
)

// keep remembers refused rows.
func (w *unit) keep(refused []stage.Loss) error {
	if len(refused) == 0 {
		return nil
	}
	w.refused = append(w.refused, refused...)
	for k := range refused {
		w.held += len(refused[k].Row)
	}
	w.sink.mu.Lock()
	defer w.sink.mu.Unlock()
	w.sink.refused[w.table.Name] = true
	if n := len(w.refused); n > mostRefused || n > 1 && w.held > mostRefusedBytes {
		last := refused[len(refused)-1]
		return fmt.Errorf("more than %d rows or %d MiB of one unit are refused, the last of them (%s): %s", mostRefused, mostRefusedBytes>>20, last.Where, last.Reason)
	}
	return nil
}

// abandonedTx takes away what rolling back over an ended connection says: the
// server has rolled back itself.
func abandonedTx(err error) error {
	if errors.Is(err, sql.ErrTxDone) || mysql.Lost(err) {
		return nil
	}
	return err
}

func (w *unit) Close(context.Context, stage.Digest) error { return nil }

func (w *unit) Same(context.Context, stage.Entry) error {
	return errors.New("a table is never the same as before")
}

func (w *unit) Drop(context.Context) error {
	return errors.New("rows that are loaded can't be dropped")
}

func (w *unit) Loss(context.Context, stage.Loss) error { return nil }

func (w *unit) Refused() []stage.Loss { return w.refused }

// Commit gives the connection back: each chunk was committed when it was written.
func (w *unit) Commit(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return w.Abort(ctx)
}

func (w *unit) Abort(context.Context) error {
	if w.conn == nil {
		return nil
	}
	err := w.conn.Close()
	w.conn = nil
	if err != nil && !errors.Is(err, sql.ErrConnDone) {
		return fmt.Errorf("table %s: giving the connection back: %w", w.table.Name, err)
	}
	return nil
}
