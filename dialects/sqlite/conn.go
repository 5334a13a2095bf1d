package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"sync"
	"syscall"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

// Conn is a connection to a database file. It is safe for concurrent use: statements
// take turns.
//
// It uses the driver without database/sql, which would copy every value and bind the
// connection to one reader.
type Conn struct {
	path string
	mu   sync.Mutex
	conn driver.Conn
	// deletes is the table whose rows may be deleted, while delete runs.
	deletes string
}

// Mode says how a file is opened.
type Mode string

// Modes of Open.
const (
	ReadOnly Mode = "ro"
	Create   Mode = "rwc"
	Memory   Mode = "memory" // a new, empty in-memory database; no file is touched
)

// Open opens a database file. It runs nothing that the file itself contains (views,
// triggers, functions in its schema), and no statement can reach another file.
func Open(ctx context.Context, path string, mode Mode) (*Conn, error) {
	full, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	query := url.Values{"mode": {string(mode)}}
	name := url.URL{Scheme: "file", OmitHost: true, Path: full, RawQuery: query.Encode()}
	conn, err := (&sqlite.Driver{}).Open(name.String())
	if err != nil {
		return nil, fmt.Errorf("opening the SQLite database %s: %w", path, explain(err))
	}
	c := &Conn{path: path, conn: conn}
	if err := errors.Join(c.settle(ctx, mode), c.confine()); err != nil {
		return nil, errors.Join(fmt.Errorf("opening the SQLite database %s: %w", path, err), c.Close())
	}
	// SQLite does not read the file before the first statement.
	if _, err := c.Query(ctx, "SELECT count(*) FROM sqlite_master"); err != nil {
		return nil, errors.Join(fmt.Errorf("opening the SQLite database %s: %w", path, err), c.Close())
	}
	return c, nil
}

// Close closes the connection and rolls back an open transaction.
func (c *Conn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conn == nil {
		return nil
	}
	err := c.conn.Close()
	c.conn = nil
	return err
}

// Exec runs one statement without parameters.
func (c *Conn) Exec(ctx context.Context, query string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.execLocked(ctx, query)
}

// delete deletes rows of a table, which no other method can do. condition is empty
// for all rows.
func (c *Conn) delete(ctx context.Context, table, condition string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deletes = table
	defer func() { c.deletes = "" }()
	return c.execLocked(ctx, "DELETE FROM "+Quote(table)+condition)
}

func (c *Conn) execLocked(ctx context.Context, query string) error {
	s, err := c.prepare(ctx, query)
	if err != nil {
		return err
	}
	_, err = s.exec(ctx, nil)
	return errors.Join(err, s.close())
}

// Query returns all rows of a statement with a small result. Values are int64,
// float64, string, []byte or nil.
func (c *Conn) Query(ctx context.Context, query string, args ...driver.Value) (all [][]driver.Value, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	rows, err := c.rows(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.end(&err)
	for {
		row := make([]driver.Value, len(rows.Columns()))
		switch err := rows.Next(row); {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return nil, explain(err)
		}
		all = append(all, row)
	}
}

// Full reports whether an error means that the file system has no space left.
func Full(err error) bool {
	var failed *sqlite.Error
	return errors.As(err, &failed) && failed.Code()&0xff == lib.SQLITE_FULL || errors.Is(err, syscall.ENOSPC)
}

// statement is a prepared statement of a Conn. The caller holds the Conn's lock.
type statement struct{ driver.Stmt }

var errClosed = errors.New("the connection is closed")

func (c *Conn) prepare(ctx context.Context, query string) (statement, error) {
	if c.conn == nil {
		return statement{}, errClosed
	}
	if err := oneStatement(query); err != nil {
		return statement{}, fmt.Errorf("%.200q: %w", query, err)
	}
	p, ok := c.conn.(driver.ConnPrepareContext)
	if !ok {
		return statement{}, errors.New("the SQLite driver cannot prepare statements")
	}
	s, err := p.PrepareContext(ctx, query)
	return statement{s}, explain(err)
}

func (s statement) exec(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	x, ok := s.Stmt.(driver.StmtExecContext)
	if !ok {
		return nil, errors.New("the SQLite driver cannot run prepared statements")
	}
	r, err := x.ExecContext(ctx, args)
	return r, explain(err)
}

func (s statement) close() error { return s.Stmt.Close() }

// result is the rows of a statement.
type result struct {
	driver.Rows
	statement statement
}

func (c *Conn) rows(ctx context.Context, query string, args ...driver.Value) (*result, error) {
	s, err := c.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	named := make([]driver.NamedValue, len(args))
	for i, v := range args {
		named[i] = driver.NamedValue{Ordinal: i + 1, Value: v}
	}
	q, ok := s.Stmt.(driver.StmtQueryContext)
	if !ok {
		return nil, errors.Join(errors.New("the SQLite driver cannot query prepared statements"), s.close())
	}
	r, err := q.QueryContext(ctx, named)
	if err != nil {
		return nil, errors.Join(explain(err), s.close())
	}
	return &result{r, s}, nil
}

// end closes the rows and joins an error of closing to err.
func (r *result) end(err *error) {
	if closing := errors.Join(r.Rows.Close(), r.statement.close()); closing != nil {
		*err = errors.Join(*err, closing)
	}
}
