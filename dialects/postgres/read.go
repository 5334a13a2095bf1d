package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/lmsvault/vault/core/keyrange"
	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
)

// Reader reads the rows of one table of the site.
type Reader struct {
	Table       *schema.Table
	Partitioned bool
	// Range limits reading to a range of the integer key, in key order; nil reads all
	// rows in storage order.
	Range *keyrange.Range
	Where string // an SQL condition that rows must meet; "" for all
}

// Read passes the rows to emit in chunks and returns emit's error unchanged. The
// reader reuses a chunk's data when emit returns.
func (c *Conn) Read(ctx context.Context, r Reader, emit func(ctx context.Context, data []byte, rows int) error) error {
	var failed error // of emit
	b := rows.NewBuilder(func(ctx context.Context, data []byte, n int) error {
		failed = emit(ctx, data, n)
		return failed
	})
	w := &rowWriter{ctx: ctx, decoder: newDecoder(r.Table), builder: b}
	tag, err := c.CopyTo(ctx, w, r.statement(c.Site))
	switch {
	case failed != nil:
		return failed
	case w.err != nil:
		return fmt.Errorf("%s: table %s: %w", c.Address, c.Site.Table(r.Table.Name), w.err)
	case err != nil && Gone(err):
		return c.Explain(err, "table %s or one of its columns was dropped since the run began", c.Site.Table(r.Table.Name))
	case err != nil:
		return c.Explain(err, "reading table %s", c.Site.Table(r.Table.Name))
	case tag.RowsAffected() != w.rows:
		return fmt.Errorf("%s: table %s: the server sent %d rows but reports %d", c.Address, c.Site.Table(r.Table.Name), w.rows, tag.RowsAffected())
	}
	return b.Flush(ctx)
}

func (r Reader) statement(site Site) string {
	table, columns := site.Table(r.Table.Name), Idents(r.Table.ColumnNames())
	if r.Range == nil && !r.Partitioned && r.Where == "" && columns != "" {
		return fmt.Sprintf("COPY %s (%s) TO STDOUT", table, columns)
	}
	if !r.Partitioned {
		table = "ONLY " + table // tables that inherit from it are read separately
	}
	sql := "COPY (SELECT " + columns + " FROM " + table
	and := " WHERE "
	if r.Where != "" {
		sql += and + "(" + r.Where + ")"
		and = " AND "
	}
	if key, ok := r.Table.IntegerKey(); ok && r.Range != nil {
		name := Ident(key.Name)
		if r.Range.From != "" {
			sql += and + name + " >= " + r.Range.From
			and = " AND "
		}
		if r.Range.To != "" {
			sql += and + name + " < " + r.Range.To
		}
		sql += " ORDER BY " + name
	}
	return sql + ") TO STDOUT"
}

// Count counts the rows of a table that meet an SQL condition; "" counts all.
func (c *Conn) Count(ctx context.Context, t *Table, where string) (n int64, err error) {
	from := c.Site.Table(t.Name)
	if !t.Partitioned {
		from = "ONLY " + from
	}
	if where != "" {
		where = " WHERE " + where
	}
	if err := c.QueryRow(ctx, "SELECT count(*) FROM "+from+where).Scan(&n); err != nil {
		return 0, c.Explain(err, "counting the rows of table %s", c.Site.Table(t.Name))
	}
	return n, nil
}

// rowWriter receives the output of CopyTo: one row with its newline per call.
type rowWriter struct {
	ctx     context.Context // of the current Read, because io.Writer takes no context
	decoder *decoder
	builder *rows.Builder
	rows    int64
	err     error
}

var errNoRow = errors.New("the server sent something that is not one row")

func (w *rowWriter) Write(row []byte) (int, error) {
	end := len(row) - 1
	if end < 0 || row[end] != '\n' {
		w.err = errNoRow
		return 0, w.err
	}
	b := w.builder
	var err error
	if b.Buf, err = w.decoder.row(b.Buf, row[:end]); err != nil {
		w.err = err
		return 0, err
	}
	w.rows++
	return len(row), b.End(w.ctx, w.decoder.keyOf(b.Row()))
}
