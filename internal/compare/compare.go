// Package compare compares databases of different engines with plain SQL,
// independently of the product's own readers and checksums, so that tests can verify
// restored sites.
package compare

import (
	"database/sql"
	"encoding/hex"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Database is a database to compare; Dialect is mysql, postgres or sqlite.
type Database struct {
	Dialect string
	SQL     *sql.DB
	Prefix  string
}

// Table is the content of a table: the names of its columns, each row as text in
// sorted order, and the next value of its sequence (0 for none).
type Table struct {
	Columns []string
	Rows    []string
	Next    int64
	Unique  []string // each unique key, including the primary key, as "a,b", sorted
}

// Site reads all tables with the prefix, by name without it.
func Site(t testing.TB, d Database) map[string]Table {
	t.Helper()
	engine := map[string]engine{"mysql": mysql{}, "postgres": postgres{}, "sqlite": sqlite{}}[d.Dialect]
	tables := map[string]Table{}
	for _, name := range firsts(t, d.SQL, engine.tables()) {
		short, ok := strings.CutPrefix(name, d.Prefix)
		if !ok {
			continue
		}
		tables[short] = read(t, d, engine, name)
	}
	return tables
}

// engine holds the queries for one engine.
type engine interface {
	tables() string
	columns(table string) string                 // name, type
	cell(name, typ string) (expr string, k kind) // expression to select
	quote(name string) string
	next(t testing.TB, db *sql.DB, table string) int64
	unique(t testing.TB, db *sql.DB, table string) []string
}

type kind int

const (
	text kind = iota
	float
	single  // a four-byte float, read with any width
	decimal // compared as a number: SQLite's have no trailing zeros
)

func read(t testing.TB, d Database, e engine, name string) Table {
	t.Helper()
	var table Table
	var exprs []string
	var kinds []kind
	for _, c := range pairs(t, d.SQL, e.columns(name)) {
		expr, k := e.cell(e.quote(c[0]), strings.ToLower(c[1]))
		table.Columns = append(table.Columns, c[0])
		exprs = append(exprs, expr)
		kinds = append(kinds, k)
	}
	rows, err := d.SQL.QueryContext(t.Context(), "SELECT "+strings.Join(exprs, ", ")+" FROM "+e.quote(name))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	defer rows.Close()
	cells := make([]any, len(exprs))
	for i, k := range kinds {
		if k == float || k == single {
			cells[i] = new(sql.NullFloat64)
		} else {
			cells[i] = new(sql.NullString)
		}
	}
	for rows.Next() {
		if err := rows.Scan(cells...); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var row []string
		for i, c := range cells {
			switch v := c.(type) {
			case *sql.NullFloat64:
				if v.Valid && kinds[i] == single {
					row = append(row, strconv.FormatFloat(v.Float64, 'g', -1, 32))
				} else if v.Valid {
					row = append(row, strconv.FormatFloat(v.Float64, 'g', -1, 64))
				} else {
					row = append(row, "NULL")
				}
			case *sql.NullString:
				if v.Valid {
					if number, ok := new(big.Rat).SetString(v.String); ok && kinds[i] == decimal {
						v.String = strings.TrimSuffix(strings.TrimRight(number.FloatString(100), "0"), ".")
					}
					row = append(row, strconv.Quote(v.String))
				} else {
					row = append(row, "NULL")
				}
			}
		}
		table.Rows = append(table.Rows, strings.Join(row, " | "))
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	slices.Sort(table.Rows)
	table.Next = e.next(t, d.SQL, name)
	table.Unique = e.unique(t, d.SQL, name)
	slices.Sort(table.Unique)
	return table
}

// Equal fails the test if two sites differ; except lists tables to ignore. Sequences
// may be ahead on the got side, never behind.
func Equal(t testing.TB, want, got map[string]Table, except ...string) {
	t.Helper()
	for name, w := range want {
		if slices.Contains(except, name) {
			continue
		}
		g, ok := got[name]
		if !ok {
			t.Errorf("table %s is missing", name)
			continue
		}
		if !slices.Equal(w.Columns, g.Columns) {
			t.Errorf("table %s has columns %q, want %q", name, g.Columns, w.Columns)
			continue
		}
		if !slices.Equal(w.Unique, g.Unique) {
			t.Errorf("table %s has unique keys %q, want %q", name, g.Unique, w.Unique)
		}
		if g.Next < w.Next {
			t.Errorf("table %s would give id %d, want at least %d", name, g.Next, w.Next)
		}
		sameRows(t, name, w, g)
	}
	for name := range got {
		if _, ok := want[name]; !ok && !slices.Contains(except, name) {
			t.Errorf("table %s was not in the original", name)
		}
	}
}

func sameRows(t testing.TB, name string, w, g Table) {
	t.Helper()
	if len(w.Rows) != len(g.Rows) {
		t.Errorf("table %s has %d rows, want %d", name, len(g.Rows), len(w.Rows))
		return
	}
	for i := range w.Rows {
		if w.Rows[i] != g.Rows[i] {
			t.Errorf("table %s differs:\n got  %s\n want %s", name, clip(g.Rows[i]), clip(w.Rows[i]))
			return
		}
	}
}

func clip(s string) string {
	if len(s) > 600 {
		return fmt.Sprintf("%s… (%d bytes)", s[:600], len(s))
	}
	return s
}

func pairs(t testing.TB, db *sql.DB, query string) [][2]string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	var out [][2]string
	for rows.Next() {
		var p [2]string
		if err := rows.Scan(&p[0], &p[1]); err != nil {
			t.Fatal(err)
		}
		out = append(out, p)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

func firsts(t testing.TB, db *sql.DB, query string) []string {
	t.Helper()
	var out []string
	for _, p := range pairs(t, db, "SELECT x, '' FROM ("+query+") q") {
		out = append(out, p[0])
	}
	return out
}

func number(t testing.TB, db *sql.DB, query string) int64 {
	t.Helper()
	var n sql.NullInt64
	if err := db.QueryRowContext(t.Context(), query).Scan(&n); err != nil && err != sql.ErrNoRows {
		t.Fatalf("%s: %v", query, err)
	}
	return n.Int64
}

func literal(s string) string {
	return "'" + strings.ReplaceAll(strings.ReplaceAll(s, `\`, `\\`), "'", "''") + "'"
}

// Hex formats bytes like the comparison's binary values.
func Hex(b []byte) string { return strings.ToUpper(hex.EncodeToString(b)) }
