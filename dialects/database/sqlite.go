package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	_ "modernc.org/sqlite" // the driver sqlite

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/sqlite"
)

type sqliteEngine struct {
	path string
	db   *sql.DB
	conn *sql.Conn // all statements, for transactions
}

func openSQLite(ctx context.Context, a *Address) (engine, error) {
	full, err := filepath.Abs(a.Path)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(full); err != nil {
		return nil, failure.Wrap(failure.Refused, err)
	}
	query := url.Values{"mode": {"rw"}, "_pragma": {"trusted_schema(0)", "busy_timeout(10000)"}}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", OmitHost: true, Path: full, RawQuery: query.Encode()}).String())
	if err != nil {
		return nil, fmt.Errorf("opening the SQLite database %s: %w", full, err)
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening the SQLite database %s: %w", full, err), db.Close())
	}
	return &sqliteEngine{full, db, conn}, nil
}

func (e *sqliteEngine) dialect() string          { return sqlite.Dialect }
func (e *sqliteEngine) product() string          { return "SQLite" }
func (e *sqliteEngine) address() string          { return e.path }
func (e *sqliteEngine) quote(name string) string { return sqlite.Quote(name) }

func (e *sqliteEngine) query(ctx context.Context, statement string, args []any, each func([]Text) error) error {
	return scan(ctx, e.conn, statement, args, each)
}

func (e *sqliteEngine) exec(ctx context.Context, statement string, args []any) (int64, error) {
	return affected(e.conn.ExecContext(ctx, statement, args...))
}

// reader opens the file as the source does, for what only its package can tell.
func (e *sqliteEngine) reader(ctx context.Context, prefix string, do func(*sqlite.Conn, *sqlite.Structure) error) (err error) {
	c, err := sqlite.Open(ctx, e.path, sqlite.ReadOnly)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	st, err := c.Inspect(ctx, prefix)
	if err != nil {
		return err
	}
	return do(c, st)
}

func (e *sqliteEngine) inspect(ctx context.Context, prefix string) (tables []Table, losses []stage.Loss, err error) {
	err = e.reader(ctx, prefix, func(_ *sqlite.Conn, st *sqlite.Structure) error {
		for _, t := range st.Tables {
			tables = append(tables, Table{Table: t.Table})
		}
		losses = st.Losses
		return nil
	})
	return tables, losses, err
}

func (e *sqliteEngine) site(ctx context.Context, prefix string) (site moodle.Site, err error) {
	err = e.reader(ctx, prefix, func(c *sqlite.Conn, st *sqlite.Structure) error {
		site, err = st.Site(ctx, c)
		return err
	})
	return site, err
}

func (e *sqliteEngine) location(context.Context) (string, error) { return sqlite.Location(e.path) }

func (e *sqliteEngine) close(context.Context) error {
	return errors.Join(e.conn.Close(), e.db.Close())
}
