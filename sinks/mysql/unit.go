package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/lmsvault/vault/core/refused"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/mysql"
)

// unit loads the rows of one unit in one transaction, over a connection of its own.
type unit struct {
	sink    *sink
	id      string
	conn    *sql.Conn
	tx      *sql.Tx
	before  *stage.Receipt // of an attempt whose Commit was carried out: nothing is written again
	table   *table
	loader  *loader // nil: by INSERT
	insert  inserter
	rows    int64 // that came
	refused refused.Rows
}

// WriteRows starts to take rows of a table.
func (s *sink) WriteRows(ctx context.Context, u stage.Unit) (stage.RowUnit, error) {
	for k := range s.tables {
		if t := &s.tables[k]; t.Name == u.Table {
			w, err := s.unit(ctx, u, t)
			if err != nil {
				return nil, s.retriable(fmt.Errorf("%s: table %s: %w", s.server.Address, t.Name, err))
			}
			return w, nil
		}
	}
	return nil, fmt.Errorf("unit %s: there is no table %q in the plan", u.ID, u.Table)
}

func (s *sink) unit(ctx context.Context, u stage.Unit, t *table) (_ *unit, err error) {
	w := &unit{sink: s, id: u.ID, table: t}
	if w.conn, err = s.server.Conn(ctx); err != nil {
		return nil, fmt.Errorf("opening a connection: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.Abort(context.WithoutCancel(ctx)))
		}
	}()
	if w.tx, err = w.conn.BeginTx(ctx, nil); err != nil {
		return nil, fmt.Errorf("starting a transaction: %w", err)
	}
	if w.before, err = s.committed(ctx, w.tx, u.ID); err != nil {
		return nil, err
	}
	w.insert = newInserter(s, t)
	if s.cfg.Load != loadInsert && s.server.LocalData {
		w.loader = newLoader(t.at, &t.Table)
	}
	return w, nil
}

// The server's errors of a transaction, or a statement, that others were in the way of.
const (
	lockWaitTimeout = 1205
	deadlock        = 1213
)

// retriable marks an error that may not come again: a lost connection, or a
// transaction that lost against another one.
func (s *sink) retriable(err error) error {
	if n := mysql.Number(err); n == lockWaitTimeout || n == deadlock || mysql.Lost(err) {
		return stage.Temporary(err, 0)
	}
	return err
}

// Write loads one chunk. The server turns errors of LOAD DATA LOCAL into warnings
// and goes on with changed values, so a chunk with a warning or a missing row is taken back
// and inserted strictly, to find the rows that are refused.
func (w *unit) Write(ctx context.Context, c stage.Chunk) error {
	w.rows += int64(c.Rows)
	if w.before != nil {
		return nil
	}
	if err := w.write(ctx, c); err != nil {
		return w.sink.retriable(fmt.Errorf("table %s: %w", w.table.Name, err))
	}
	return nil
}

func (w *unit) write(ctx context.Context, c stage.Chunk) error {
	if done, err := w.load(ctx, c); done || err != nil {
		return err
	}
	losses, err := w.insert.chunk(ctx, w.tx, c)
	if err != nil {
		return err
	}
	return w.keep(losses)
}

// load loads a chunk by LOAD DATA, if that is to be and the server takes every row.
func (w *unit) load(ctx context.Context, c stage.Chunk) (done bool, err error) {
	if w.loader == nil {
		return false, nil
	}
	if found, err := w.insert.hasNegativeZero(c.Data); found || err != nil {
		return false, err
	}
	done, err = w.loader.load(ctx, w.tx, c)
	if w.sink.cfg.Load == loadAuto && mysql.LocalDataForbidden(err) {
		w.loader = nil // something between us and the server forbids it, although the server doesn't
		return false, nil
	}
	return done, err
}

// keep remembers refused rows.
func (w *unit) keep(losses []stage.Loss) error {
	if len(losses) == 0 {
		return nil
	}
	w.sink.mu.Lock()
	w.sink.refused[w.table.Name] = true
	w.sink.mu.Unlock()
	return w.refused.Add(losses...)
}

// Loss is the source's, and nothing to this sink.
func (w *unit) Loss(context.Context, stage.Loss) error { return nil }

// Commit keeps the rows, and with them the receipt: should the server's answer be
// lost, the next attempt finds it.
func (w *unit) Commit(ctx context.Context) (*stage.Receipt, error) {
	receipt, err := w.commit(ctx)
	if err != nil {
		return nil, w.sink.retriable(fmt.Errorf("table %s: %w", w.table.Name, err))
	}
	return receipt, w.Abort(ctx)
}

func (w *unit) commit(ctx context.Context) (*stage.Receipt, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if w.before != nil {
		return w.before, nil
	}
	receipt := &stage.Receipt{Rows: w.rows - w.refused.Count(), Losses: w.refused.Losses()}
	if err := w.sink.enter(ctx, w.tx, w.id, receipt); err != nil {
		return nil, err
	}
	tx := w.tx
	if err := tx.Commit(); err != nil {
		return nil, err
	}
	w.tx = nil
	return receipt, nil
}

// Abort takes the rows back that are not committed, and gives the connection back.
func (w *unit) Abort(context.Context) error {
	if w.conn == nil {
		return nil
	}
	var errs []error
	if w.tx != nil {
		// Over an ended connection the server has rolled back itself.
		if err := w.tx.Rollback(); !errors.Is(err, sql.ErrTxDone) && !mysql.Lost(err) {
			errs = append(errs, err)
		}
	}
	if err := w.conn.Close(); !errors.Is(err, sql.ErrConnDone) {
		errs = append(errs, err)
	}
	w.tx, w.conn = nil, nil
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("table %s: giving the connection back: %w", w.table.Name, err)
	}
	return nil
}
