package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/keyrange"
	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/selection"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/mysql"
)

type source struct {
	cfg    Config
	env    stage.Env
	server *mysql.Server
	snap   *snapshot
	tables map[string]schema.Table // by name without prefix
	full   map[string]string       // their full names
	where  map[string]string       // conditions on their rows; "" for all
	// selected is the selection to read.
	selected selection.Selection
	// unsteady holds the tables of engines without snapshots.
	unsteady map[string]bool
	failed   atomic.Pointer[error] // error of the first failed Read, which may have closed its connection
}

// Plan connects, takes the snapshot and reads its structure.
func (s *source) Plan(ctx context.Context, r stage.PlanRequest) (*stage.Inventory, error) {
	var err error
	s.selected = r.Selection
	if s.server, err = mysql.Connect(ctx, s.cfg.DSN); err != nil {
		return nil, err
	}
	if err := s.checkRights(ctx); err != nil {
		return nil, err
	}
	hidden, err := s.blind(ctx)
	if err != nil {
		return nil, err
	}
	st, err := s.consistent(ctx)
	if err != nil {
		return nil, err
	}
	inv, err := s.inventory(ctx, st)
	if err != nil {
		return nil, err
	}
	inv.Notes = append(inv.Notes, hidden...)
	return inv, nil
}

// consistent takes the snapshot and reads the matching structure: a structure that is
// the same before and after the lock was valid during it. Reading the structure under
// the lock would block writers.
func (s *source) consistent(ctx context.Context) (*mysql.Structure, error) {
	before, err := s.inspect(ctx)
	if err != nil {
		return nil, err
	}
	const tries = 3
	for range tries {
		n := s.cfg.Connections
		if n == 0 {
			n = max(s.env.Workers, 1)
		}
		var names []string
		for _, t := range before.Tables {
			names = append(names, t.FullName)
		}
		if s.snap, err = take(ctx, s.server, n, time.Duration(s.cfg.LockTimeout), names); err != nil {
			return nil, err
		}
		after, err := s.inspect(ctx)
		if err != nil {
			return nil, err
		}
		if sameStructure(before, after) {
			return after, nil
		}
		if err := s.snap.close(); err != nil {
			return nil, err
		}
		before = after
	}
	return nil, fmt.Errorf("%s: the structure of the tables changed while taking the snapshot, %d times in a row; run again when no upgrade is running", s.server.Address, tries)
}

func (s *source) inspect(ctx context.Context) (*mysql.Structure, error) {
	st, err := s.server.Inspect(ctx, s.cfg.Prefix)
	switch {
	case err != nil:
		return nil, err
	case st.Marked:
		return nil, failure.New(failure.Refused, "%s: a restore into this database did not finish (table %s%s exists); restore it again with replace: true", s.server.Address, s.cfg.Prefix, mysql.Marker)
	}
	note, err := s.server.CheckPrefix(st, s.cfg.Prefix)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.server.Address, err)
	}
	if note != "" {
		st.Notes = append(st.Notes, stage.Note{Path: stage.DB, Text: note})
	}
	if len(st.Tables) == 0 {
		return nil, failure.New(failure.Refused, "%s: no table has the prefix %q, or the user may not see any; existing tables: %s", s.server.Address, s.cfg.Prefix, strings.Join(st.Others[:min(5, len(st.Others))], ", "))
	}
	if err := s.server.OrderIndexes(ctx, st); err != nil {
		return nil, err
	}
	return st, nil
}

// sameStructure compares structures, ignoring what changes with every row.
func sameStructure(a, b *mysql.Structure) bool {
	if len(a.Tables) != len(b.Tables) {
		return false
	}
	for k := range a.Tables {
		x, y := a.Tables[k].Table, b.Tables[k].Table
		x.Sequence, y.Sequence = nil, nil
		if !reflect.DeepEqual(x, y) {
			return false
		}
	}
	return true
}

func (s *source) inventory(ctx context.Context, st *mysql.Structure) (_ *stage.Inventory, err error) {
	conn, err := s.snap.borrow(ctx)
	if err != nil {
		return nil, err
	}
	defer func() {
		err = errors.Join(err, s.release(ctx, conn))
	}()
	inv := &stage.Inventory{Notes: st.Notes, Facts: s.facts()}
	if inv.Location, err = s.server.Location(ctx); err != nil {
		return nil, err
	}
	s.tables, s.full, s.unsteady, s.where = map[string]schema.Table{}, map[string]string{}, map[string]bool{}, map[string]string{}
	for k := range st.Tables {
		t := &st.Tables[k]
		if pattern, ok := s.selected.ExcludesTable(t.Name); ok {
			inv.Excluded = append(inv.Excluded, selection.Excluded{Path: stage.DB + "/" + t.Name, Pattern: pattern})
			continue
		}
		if len(t.Columns) == 0 {
			continue // listed as a loss
		}
		if t.Engine != "InnoDB" {
			s.unsteady[t.Name] = true
			inv.Notes = append(inv.Notes, stage.Note{Path: stage.DB + "/" + t.Name, Text: "is not in the snapshot, because the engine " + t.Engine + " has none; it is read in its current state and not counted"})
		}
		filter, err := s.selected.Filter(t.Table)
		if err != nil {
			return nil, err
		}
		if filter.None() {
			t.Rows, t.Bytes = 0, 0
		}
		s.tables[t.Name], s.full[t.Name], s.where[t.Name] = t.Table, t.FullName, filter.SQL(mysql.Conditions{})
		inv.Tables = append(inv.Tables, stage.TableInfo{Schema: t.Table, Rows: t.Rows, Bytes: t.Bytes})
		ranges, err := t.Ranges(ctx, conn)
		if err != nil {
			return nil, err
		}
		for _, r := range ranges {
			inv.Units = append(inv.Units, stage.Unit{
				ID: stage.DB + "/" + t.Name + "#" + r.From, Part: stage.DB, Table: t.Name, Spec: r.String(),
				Rows: t.Rows / int64(len(ranges)), Bytes: t.Bytes / int64(len(ranges)),
			})
		}
	}
	if err := s.included(st).Facts(ctx, conn, func(table string) string { return s.where[table] }, inv.Facts); err != nil {
		return nil, fmt.Errorf("%s: %w", s.server.Address, err)
	}
	inv.Losses = st.Losses
	if s.snap.note != "" {
		inv.Notes = append(inv.Notes, stage.Note{Path: stage.DB, Text: s.snap.note})
	}
	return inv, nil
}

func (s *source) facts() map[string]string {
	facts := map[string]string{
		"engine":      s.server.Engine(),
		"dialect":     mysql.Dialect,
		"version":     s.server.Version,
		"prefix":      s.cfg.Prefix,
		"charset":     s.server.Charset,
		"collation":   s.server.Collation,
		"consistency": s.snap.consistency,
	}
	if s.snap.position != "" {
		facts["position"] = s.snap.position
	}
	return facts
}

// included returns the structure without the excluded tables, which the user may have
// no privilege to read.
func (s *source) included(st *mysql.Structure) *mysql.Structure {
	return &mysql.Structure{Tables: slices.DeleteFunc(slices.Clone(st.Tables), func(t mysql.Table) bool {
		_, out := s.selected.ExcludesTable(t.Name)
		return out
	})}
}

// ReadRows writes the rows of one unit in the snapshot to w.
func (s *source) ReadRows(ctx context.Context, r stage.ReadRequest, w stage.RowWriter) error {
	unit := r.Unit
	t, ok := s.tables[unit.Table]
	if !ok {
		return fmt.Errorf("unit %s: the plan has no table %q", unit.ID, unit.Table)
	}
	within, err := keyrange.Parse(unit.Spec)
	if err != nil {
		return fmt.Errorf("unit %s: %w", unit.ID, err)
	}
	conn, err := s.snap.borrow(ctx)
	if err != nil {
		return err
	}
	if cause := s.failed.Load(); cause != nil {
		s.snap.giveBack(conn)
		return fmt.Errorf("unit %s was not read because of an earlier error: %w", unit.ID, *cause)
	}
	err, refused := s.read(ctx, conn, t, within, w)
	if err != nil && (!refused || ctx.Err() != nil) { // the writer's error does not close the connection
		s.failed.CompareAndSwap(nil, &err)
	}
	if released := s.release(ctx, conn); err == nil {
		err = released // otherwise the first error is enough, and w's must be returned unchanged
	}
	return err
}

// read reports whether the error that it returns, unchanged, is w's.
func (s *source) read(ctx context.Context, conn *sql.Conn, t schema.Table, within keyrange.Range, w stage.RowWriter) (err error, refused bool) {
	var told error // error of w
	b := rows.NewBuilder(func(ctx context.Context, data []byte, n int) error {
		told = w.Write(ctx, stage.Chunk{Data: data, Rows: n})
		return told
	})
	reader := mysql.NewReader(s.full[t.Name], t)
	reader.Where = s.where[t.Name]
	err = reader.Read(ctx, conn, within, b)
	if err == nil {
		err = b.Flush(ctx)
	}
	switch {
	case told != nil:
		return told, true
	case err != nil && ctx.Err() != nil:
		return context.Cause(ctx), false
	case err != nil:
		return s.explain(t.Name, err), false
	}
	return nil, false
}

// Count counts a table's rows in the snapshot. The server chooses the index, while
// reads use the primary key. A table of an engine without snapshots is not counted,
// because its rows may have changed since they were read.
func (s *source) Count(ctx context.Context, table string) (n int64, err error) {
	t, ok := s.tables[table]
	if !ok {
		return 0, fmt.Errorf("the plan has no table %q", table)
	}
	if s.unsteady[table] {
		return -1, nil
	}
	conn, err := s.snap.borrow(ctx)
	if err != nil {
		return 0, err
	}
	if cause := s.failed.Load(); cause != nil {
		s.snap.giveBack(conn)
		return 0, fmt.Errorf("table %s was not counted because of an earlier error: %w", table, *cause)
	}
	query := "SELECT COUNT(*) FROM " + mysql.Ident(s.full[t.Name])
	if where := s.where[table]; where != "" {
		query += " WHERE " + where
	}
	err = conn.QueryRowContext(ctx, query).Scan(&n)
	switch {
	case err != nil && ctx.Err() != nil:
		err = context.Cause(ctx)
	case err != nil:
		err = s.explain(t.Name, err)
	}
	if err != nil {
		s.failed.CompareAndSwap(nil, &err)
	}
	if released := s.release(ctx, conn); err == nil {
		err = released
	}
	return n, err
}

// release returns a connection to the pool after releasing its metadata locks.
func (s *source) release(ctx context.Context, conn *sql.Conn) error {
	defer s.snap.giveBack(conn)
	if _, err := conn.ExecContext(ctx, "ROLLBACK TO SAVEPOINT "+savepoint); err != nil && ctx.Err() == nil && !mysql.Lost(err) {
		return err
	}
	return nil // the next reader will find the connection lost
}

func (s *source) explain(table string, err error) error {
	const changed, gone, noColumn = 1412, 1146, 1054
	switch n := mysql.Number(err); {
	case n == changed || n == gone || n == noColumn:
		return fmt.Errorf("table %s was altered or dropped after the snapshot was taken; run again when no upgrade is running: %w", table, err)
	case mysql.Denied(err):
		return failure.New(failure.Refused, "table %s: the user may not read it: %w", table, err)
	case mysql.Lost(err):
		return fmt.Errorf("table %s: connection lost, and with it the snapshot; run again, data already stored is not stored twice: %w", table, err)
	}
	return fmt.Errorf("reading table %s: %w", table, err)
}

// Close closes the snapshot and the connections.
func (s *source) Close(context.Context) error {
	var errs []error
	if s.snap != nil {
		errs = append(errs, s.snap.close())
	}
	if s.server != nil {
		errs = append(errs, s.server.Close())
	}
	return errors.Join(errs...)
}
