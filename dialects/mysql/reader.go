package mysql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-sql-driver/mysql"

	"github.com/lmsvault/vault/core/keyrange"
	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
)

// Reader reads the rows of a table, encoded as in package rows. It can be reused, one
// Read at a time.
type Reader struct {
	// Where is an SQL condition that rows must meet; "" for all rows.
	Where    string
	fullName string
	table    schema.Table
	forms    []form
	key      []int
	values   []driver.Value
	starts   []int // offsets of the cells in the row, and of its end
	scratch  []byte
}

// NewReader returns a Reader of the table with a full name; columns are those of t,
// in its order.
func NewReader(fullName string, t schema.Table) *Reader {
	r := &Reader{fullName: fullName, table: t, key: t.Key(), values: make([]driver.Value, len(t.Columns)), starts: make([]int, len(t.Columns)+1)}
	for k := range t.Columns {
		r.forms = append(r.forms, formOf(&t.Columns[k]))
	}
	return r
}

// query reads in key order only if the rows are stored in that order; for any other
// the server would have to sort.
func (r *Reader) query(within keyrange.Range) string {
	q := "SELECT " + Idents(r.table.ColumnNames()) + " FROM " + Ident(r.fullName)
	var where []string
	if r.Where != "" {
		where = append(where, "("+r.Where+")")
	}
	key, ok := r.table.IntegerKey()
	if !ok {
		return q + and(where)
	}
	if within.From != "" {
		where = append(where, Ident(key.Name)+" >= "+within.From)
	}
	if within.To != "" {
		where = append(where, Ident(key.Name)+" < "+within.To)
	}
	return q + " FORCE INDEX (PRIMARY)" + and(where) + " ORDER BY " + Ident(key.Name)
}

// and joins conditions to a WHERE clause.
func and(where []string) string {
	if len(where) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(where, " AND ")
}

// Read passes the rows within a range of the table's integer key (the zero Range: all
// rows) to b, which the caller flushes.
//
// It uses a prepared statement: the binary protocol transfers floating-point numbers
// exactly, the text protocol only six digits of a FLOAT. It takes rows from the
// driver without database/sql, which would allocate for each cell.
func (r *Reader) Read(ctx context.Context, conn *sql.Conn, within keyrange.Range, b *rows.Builder) error {
	return conn.Raw(func(dc any) error {
		prepare, ok := dc.(driver.ConnPrepareContext)
		if !ok {
			return fmt.Errorf("the driver's connection %T cannot prepare statements", dc)
		}
		stmt, err := prepare.PrepareContext(ctx, r.query(within))
		if err != nil {
			return err
		}
		return errors.Join(r.run(ctx, stmt, b), stmt.Close())
	})
}

func (r *Reader) run(ctx context.Context, stmt driver.Stmt, b *rows.Builder) error {
	// Closing unfinished rows would read all that remain; ending their context closes
	// the connection instead.
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	q, ok := stmt.(driver.StmtQueryContext)
	if !ok {
		return fmt.Errorf("the driver's statement %T cannot be queried", stmt)
	}
	result, err := q.QueryContext(ctx, nil)
	if err != nil {
		return err
	}
	for {
		err := result.Next(r.values)
		if err == io.EOF {
			return result.Close()
		}
		if err == nil {
			err = r.row(ctx, b)
		}
		if err != nil {
			stop()
			return errors.Join(err, abandoned(result.Close()))
		}
	}
}

// abandoned drops the error of closing rows after their context has ended.
func abandoned(err error) error {
	if errors.Is(err, mysql.ErrInvalidConn) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}

func (r *Reader) row(ctx context.Context, b *rows.Builder) error {
	begin := len(b.Buf)
	for k, value := range r.values {
		if k > 0 {
			b.Buf = append(b.Buf, '\t')
		}
		r.starts[k] = len(b.Buf) - begin
		var err error
		if b.Buf, err = appendCell(b.Buf, value, r.forms[k], r.table.Columns[k].Type.Length); err != nil {
			return fmt.Errorf("column %s: %w", r.table.Columns[k].Name, err)
		}
	}
	r.starts[len(r.values)] = len(b.Buf) - begin + 1
	row := b.Row()
	if len(r.key) == 1 {
		return b.End(ctx, r.cell(row, r.key[0]))
	}
	r.scratch = r.scratch[:0]
	for n, k := range r.key {
		if n > 0 {
			r.scratch = append(r.scratch, '\t')
		}
		r.scratch = append(r.scratch, r.cell(row, k)...)
	}
	return b.End(ctx, r.scratch)
}

func (r *Reader) cell(row []byte, k int) []byte { return row[r.starts[k] : r.starts[k+1]-1] }
