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

// unit loads the rows of one unit in one transaction on its own connection.
type unit struct {
	sink    *sink
	id      string
	conn    *sql.Conn
	tx      *sql.Tx
	before  *stage.Receipt // of an earlier attempt that was committed: nothing is written again
	table   *table
	loader  *loader // nil: with INSERT
	insert  inserter
	rows    int64 // rows written
	refused refused.Rows
}

// WriteRows starts a unit of rows of a table.
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
	return nil, fmt.Errorf("unit %s: the plan has no table %q", u.ID, u.Table)
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

// Server errors of a transaction or statement that conflicted with others.
const (
	lockWaitTimeout = 1205
	deadlock        = 1213
)

// retriable marks an error that may be transient: a lost connection, or a transaction
// that conflicted with another one.
func (s *sink) retriable(err error) error {
	if n := mysql.Number(err); n == lockWaitTimeout || n == deadlock || mysql.Lost(err) {
		return stage.Temporary(err, 0)
	}
	return err
}

// Write loads one chunk. The server turns errors of LOAD DATA LOCAL into warnings and
// continues with changed values, so a chunk with a warning or a missing row is rolled
// back and inserted strictly, to find the rejected rows.
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

// load loads a chunk with LOAD DATA, if configured and if the server accepts every
// row.
func (w *unit) load(ctx context.Context, c stage.Chunk) (done bool, err error) {
	if w.loader == nil {
		return false, nil
	}
	if found, err := w.insert.hasNegativeZero(c.Data); found || err != nil {
		return false, err
	}
	done, err = w.loader.load(ctx, w.tx, c)
	if w.sink.cfg.Load == loadAuto && mysql.LocalDataForbidden(err) {
		w.loader = nil // forbidden by something between us and the server
		return false, nil
	}
	return done, err
}

// keep records rejected rows.
func (w *unit) keep(losses []stage.Loss) error {
	if len(losses) == 0 {
		return nil
	}
	w.sink.mu.Lock()
	w.sink.refused[w.table.Name] = true
	w.sink.mu.Unlock()
	return w.refused.Add(losses...)
}

// Loss ignores losses of the source.
func (w *unit) Loss(context.Context, stage.Loss) error { return nil }

// Commit commits the rows together with the receipt: if the server's answer is lost,
// the next attempt finds it.
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

// Abort rolls back uncommitted rows and releases the connection.
func (w *unit) Abort(context.Context) error {
	if w.conn == nil {
		return nil
	}
	var errs []error
	if w.tx != nil {
		// On a closed connection the server has already rolled back.
		if err := w.tx.Rollback(); !errors.Is(err, sql.ErrTxDone) && !mysql.Lost(err) {
			errs = append(errs, err)
		}
	}
	if err := w.conn.Close(); !errors.Is(err, sql.ErrConnDone) {
		errs = append(errs, err)
	}
	w.tx, w.conn = nil, nil
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("table %s: releasing the connection: %w", w.table.Name, err)
	}
	return nil
}
