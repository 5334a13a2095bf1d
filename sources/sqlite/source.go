package sqlite

import (
	"context"
	"fmt"
	"os"
	"strings"

	dialect "github.com/lmsvault/vault/dialects/sqlite"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/keyrange"
	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/selection"
	"github.com/lmsvault/vault/core/stage"
)

const (
	unitBytes  = 8 << 20 // approximate size of a unit
	sampleRows = 256     // number of rows sampled to estimate their size
)

// Source reads a database. Use New.
type Source struct {
	config Config
	conn   *dialect.Conn
	tables map[string]*dialect.Table
	where  map[string]string // conditions on rows, by table
}

// New returns a source.
func New(config Config) *Source { return &Source{config: config} }

// Plan opens the database and begins the transaction for all reads.
func (s *Source) Plan(ctx context.Context, r stage.PlanRequest) (*stage.Inventory, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if info, err := os.Stat(s.config.Path); err != nil {
		return nil, failure.New(failure.Refused, "%w; set path to a database file", err)
	} else if info.IsDir() {
		return nil, failure.New(failure.Refused, "%s is a directory; set path to a database file", s.config.Path)
	}
	var err error
	if s.conn, err = dialect.Open(ctx, s.config.Path, dialect.ReadOnly); err != nil {
		return nil, failure.Wrap(failure.Refused, err)
	}
	if err := s.conn.Exec(ctx, "BEGIN"); err != nil {
		return nil, fmt.Errorf("%s: beginning a transaction: %w", s.config.Path, err)
	}
	found, err := s.conn.Inspect(ctx, s.config.Prefix)
	if err != nil {
		return nil, err
	}
	note, err := moodle.CheckPrefix(found.Names(), s.config.Prefix)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.config.Path, err)
	}
	if note != "" {
		found.Notes = append(found.Notes, stage.Note{Path: stage.DB, Text: note})
	}
	if len(found.Tables) == 0 {
		return nil, failure.New(failure.Refused, "%s: no table begins with %q (the database has %d other tables); check prefix", s.config.Path, s.config.Prefix, len(found.Others))
	}
	inv := &stage.Inventory{Losses: found.Losses, Notes: found.Notes}
	if len(found.Others) > 0 {
		inv.Notes = append(inv.Notes, stage.Note{Path: stage.DB, Text: fmt.Sprintf("skipped %d tables and views without the prefix %q: %s",
			len(found.Others), s.config.Prefix, strings.Join(found.Others, ", "))})
	}
	if inv.Facts, err = s.facts(ctx); err != nil {
		return nil, err
	}
	if inv.Location, err = dialect.Location(s.config.Path); err != nil {
		return nil, err
	}
	s.tables, s.where = map[string]*dialect.Table{}, map[string]string{}
	for i := range found.Tables {
		t := &found.Tables[i]
		if pattern, ok := r.Selection.ExcludesTable(t.Name); ok {
			inv.Excluded = append(inv.Excluded, selection.Excluded{Path: stage.DB + "/" + t.Name, Pattern: pattern})
			continue
		}
		if err := s.table(ctx, inv, t, found.Ours, &r.Selection); err != nil {
			return nil, fmt.Errorf("%s: %w", s.config.Path, err)
		}
		s.tables[t.Name] = t
	}
	if err := found.Facts(ctx, s.conn, func(table string) string { return s.where[table] }, inv.Facts); err != nil {
		return nil, fmt.Errorf("%s: %w", s.config.Path, err)
	}
	return inv, nil
}

func (s *Source) facts(ctx context.Context) (map[string]string, error) {
	var text [3]string
	for i, query := range []string{"SELECT sqlite_version()", "PRAGMA encoding", "PRAGMA journal_mode"} {
		rows, err := s.conn.Query(ctx, query)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", s.config.Path, query, err)
		}
		text[i] = fmt.Sprint(rows[0][0])
	}
	return map[string]string{
		"engine": "SQLite " + text[0], "dialect": dialect.Dialect, "prefix": s.config.Prefix, "charset": text[1],
		"consistency": "one transaction, journal mode " + text[2],
	}, nil
}

// table adds a table and its units to the inventory.
func (s *Source) table(ctx context.Context, inv *stage.Inventory, t *dialect.Table, ours bool, selected *selection.Selection) error {
	limit := int64(0)
	if ours {
		limit = sampleRows
	}
	changed, rows, bytes, err := s.conn.Survey(ctx, t, limit)
	if err != nil {
		return err
	}
	for _, name := range changed {
		inv.Notes = append(inv.Notes, stage.Note{Path: stage.DB + "/" + t.Name, Text: fmt.Sprintf(
			"column %s has values that do not fit its declared type; it is transferred as %s", name, dialect.DeclaredType(t.Column(name).Type))})
	}
	if limit > 0 && rows == limit {
		count, err := s.number(ctx, "SELECT count(*) FROM "+dialect.Quote(t.FullName))
		if err != nil {
			return err
		}
		rows, bytes = count, bytes*count/rows
	}
	filter, err := selected.Filter(t.Table)
	if err != nil {
		return err
	}
	if filter.None() {
		rows, bytes = 0, 0
	}
	s.where[t.Name] = filter.SQL(dialect.Conditions{})
	inv.Tables = append(inv.Tables, stage.TableInfo{Schema: t.Table, Rows: rows, Bytes: bytes})
	ranges, err := s.ranges(ctx, t, rows, bytes)
	if err != nil {
		return err
	}
	for _, r := range ranges {
		id := stage.DB + "/" + t.Name
		if len(ranges) > 1 {
			id += "#" + r.From
		}
		n := int64(len(ranges))
		inv.Units = append(inv.Units, stage.Unit{ID: id, Part: stage.DB, Table: t.Name, Spec: r.String(), Rows: rows / n, Bytes: bytes / n})
	}
	return nil
}

// ranges divides a large table, so that several workers get rows, although the ranges
// are read in turn.
func (s *Source) ranges(ctx context.Context, t *dialect.Table, rows, bytes int64) ([]keyrange.Range, error) {
	if !t.RowidKey || bytes < 2*unitBytes {
		return []keyrange.Range{{}}, nil
	}
	key, table := dialect.Quote(t.PrimaryKey[0]), dialect.Quote(t.FullName)
	first, err := s.number(ctx, "SELECT min("+key+") FROM "+table)
	if err != nil {
		return nil, err
	}
	last, err := s.number(ctx, "SELECT max("+key+") FROM "+table)
	if err != nil {
		return nil, err
	}
	return keyrange.Split(ctx, fmt.Sprint(first), fmt.Sprint(last), rows, max(1, unitBytes*rows/bytes), func(ctx context.Context, from string) (string, bool, error) {
		found, err := s.conn.Query(ctx, "SELECT "+key+" FROM "+table+" WHERE "+key+" >= "+from+" ORDER BY "+key+" LIMIT 1")
		if err != nil || len(found) == 0 {
			return "", false, err
		}
		return fmt.Sprint(found[0][0]), true, nil
	})
}

func (s *Source) number(ctx context.Context, query string) (int64, error) {
	found, err := s.conn.Query(ctx, query)
	if err != nil {
		return 0, err
	}
	n, ok := found[0][0].(int64)
	if !ok {
		return 0, fmt.Errorf("%s returned %v", query, found[0][0])
	}
	return n, nil
}

// ReadRows reads the rows of a unit.
func (s *Source) ReadRows(ctx context.Context, request stage.ReadRequest, w stage.RowWriter) error {
	unit := request.Unit
	t := s.tables[unit.Table]
	if t == nil || unit.Part != stage.DB {
		return fmt.Errorf("unit %s: the plan has no such table", unit.ID)
	}
	r, err := keyrange.Parse(unit.Spec)
	if err != nil {
		return fmt.Errorf("unit %s: %w", unit.ID, err)
	}
	return s.conn.Read(ctx, t, r, s.where[t.Name], dialect.Receiver{
		Chunk: func(ctx context.Context, data []byte, rows int) error {
			return w.Write(ctx, stage.Chunk{Data: data, Rows: rows})
		},
		Loss: w.Loss,
	})
}

// Count counts a table's rows in the transaction. SQLite uses the smallest index,
// while reads use none.
func (s *Source) Count(ctx context.Context, table string) (int64, error) {
	t := s.tables[table]
	if t == nil {
		return 0, fmt.Errorf("the plan has no table %q", table)
	}
	query := "SELECT count(*) FROM " + dialect.Quote(t.FullName)
	if where := s.where[table]; where != "" {
		query += " WHERE " + where
	}
	n, err := s.number(ctx, query)
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	if err != nil {
		return 0, fmt.Errorf("%s: counting the rows of table %s: %w", s.config.Path, t.FullName, err)
	}
	return n, nil
}

// Close ends the transaction.
func (s *Source) Close(context.Context) error {
	if s.conn == nil {
		return nil
	}
	return s.conn.Close()
}
