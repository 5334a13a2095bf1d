package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

// Inserter inserts rows into one table. It is used by one goroutine; several on one
// Conn take turns, chunk by chunk.
type Inserter struct {
	conn   *Conn
	table  *schema.Table
	name   string // full name
	rowids []span // rowids of the inserted rows
	insert statement
	args   []driver.NamedValue
	cells  [][]byte
	encode Encoder
}

// Inserter prepares inserting into a table with a full name. Close it after use.
func (c *Conn) Inserter(ctx context.Context, t *schema.Table, fullName string) (*Inserter, error) {
	var names, marks []string
	for i := range t.Columns {
		names, marks = append(names, Quote(t.Columns[i].Name)), append(marks, "?")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s, err := c.prepare(ctx, "INSERT INTO "+Quote(fullName)+" ("+strings.Join(names, ", ")+") VALUES ("+strings.Join(marks, ", ")+")")
	if err != nil {
		return nil, fmt.Errorf("inserting into %s: %w", fullName, err)
	}
	x := &Inserter{conn: c, table: t, name: fullName, insert: s, args: make([]driver.NamedValue, len(t.Columns))}
	for i := range x.args {
		x.args[i].Ordinal = i + 1
	}
	return x, nil
}

// Close frees the statement.
func (x *Inserter) Close() error {
	x.conn.mu.Lock()
	defer x.conn.mu.Unlock()
	if x.conn.conn == nil { // already freed by closing the connection
		return nil
	}
	return x.insert.close()
}

// span is a range of consecutive rowids.
type span struct{ first, last int64 }

func (x *Inserter) made(id int64) {
	if n := len(x.rowids); n > 0 && x.rowids[n-1].last+1 == id {
		x.rowids[n-1].last = id
		return
	}
	x.rowids = append(x.rowids, span{id, id})
}

// TakeBack deletes the rows that were inserted. In a table without rowids they cannot
// be identified, so it deletes all rows.
func (x *Inserter) TakeBack(ctx context.Context) error {
	rowid := RowidName(x.table)
	if rowid == "" {
		return x.conn.delete(ctx, x.name, "")
	}
	for _, ids := range x.rowids {
		if err := x.conn.delete(ctx, x.name, fmt.Sprintf(" WHERE %s BETWEEN %d AND %d", rowid, ids.first, ids.last)); err != nil {
			return fmt.Errorf("removing inserted rows of %s: %w", x.name, err)
		}
	}
	x.rowids = nil
	return nil
}

// RowidName returns a name for a table's rowid that no column has
// (https://www.sqlite.org/rowidtable.html), or "" if there is none.
func RowidName(t *schema.Table) string {
	if strings.Contains(t.Options, "WITHOUT ROWID") {
		return ""
	}
	for _, name := range []string{"rowid", "_rowid_", "oid"} {
		if !slices.ContainsFunc(t.Columns, func(c schema.Column) bool { return strings.EqualFold(c.Name, name) }) {
			return name
		}
	}
	return ""
}

// Refusal is the reason why a table rejected a row.
type Refusal struct {
	Column string // "" if unknown or not a single column
	Reason string
}

func (r *Refusal) Error() string { return r.Reason }

// Chunk inserts the rows of a chunk. It passes a row that SQLite rejects to refused,
// with the reason, and continues. Any other error, including one of refused, ends it.
func (x *Inserter) Chunk(ctx context.Context, data []byte, refused func(row []byte, why *Refusal) error) error {
	x.conn.mu.Lock()
	defer x.conn.mu.Unlock()
	// A cancellable context costs a goroutine per row; the loop checks ctx itself.
	each := context.WithoutCancel(ctx)
	for n := 0; ; n++ {
		row, rest, ok, err := rows.Next(data)
		if !ok || err != nil {
			return err
		}
		if data = rest; n%256 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if err := x.row(each, row); err != nil {
			var why *Refusal
			if !errors.As(err, &why) {
				return err
			}
			if err := refused(row, why); err != nil {
				return err
			}
		}
	}
}

func (x *Inserter) row(ctx context.Context, row []byte) error {
	x.cells = rows.Split(x.cells, row)
	if len(x.cells) != len(x.args) {
		return fmt.Errorf("table %s: a row has %d cells for %d columns", x.table.Name, len(x.cells), len(x.args))
	}
	for i, cell := range x.cells {
		value, err := x.encode.Value(cell, &x.table.Columns[i].Type)
		if err != nil {
			return &Refusal{x.table.Columns[i].Name, err.Error()}
		}
		x.args[i].Value = value
	}
	made, err := x.insert.exec(ctx, x.args)
	if err == nil {
		id, err := made.LastInsertId()
		x.made(id)
		return err
	}
	var failed *sqlite.Error
	if errors.As(err, &failed) {
		switch failed.Code() & 0xff {
		case lib.SQLITE_CONSTRAINT, lib.SQLITE_MISMATCH, lib.SQLITE_TOOBIG:
			return &Refusal{columnIn(failed.Error()), failed.Error()}
		}
	}
	return fmt.Errorf("table %s: %w", x.table.Name, err)
}

// columnIn extracts the column from "NOT NULL constraint failed: TABLE.COLUMN
// (code)".
func columnIn(message string) string {
	_, after, ok := strings.Cut(message, "constraint failed: ")
	for ok && strings.Contains(after, "constraint failed: ") {
		_, after, _ = strings.Cut(after, "constraint failed: ")
	}
	if !ok || strings.Contains(after, ",") {
		return ""
	}
	after, _, _ = strings.Cut(after, " (")
	return after[strings.LastIndex(after, ".")+1:]
}
