package database

import (
	"context"
	"database/sql"
	"errors"

	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/mysql"
)

type mysqlEngine struct {
	server *mysql.Server
	conn   *sql.Conn // all statements, for transactions
}

func openMySQL(ctx context.Context, a *Address) (engine, error) {
	server, err := mysql.Connect(ctx, a.DSN)
	if err != nil {
		return nil, err
	}
	conn, err := server.Conn(ctx)
	if err != nil {
		return nil, errors.Join(err, server.Close())
	}
	return &mysqlEngine{server, conn}, nil
}

func (e *mysqlEngine) dialect() string          { return mysql.Dialect }
func (e *mysqlEngine) product() string          { return e.server.Engine() }
func (e *mysqlEngine) address() string          { return e.server.Address }
func (e *mysqlEngine) quote(name string) string { return mysql.Ident(name) }

func (e *mysqlEngine) query(ctx context.Context, statement string, args []any, each func([]Text) error) error {
	return scan(ctx, e.conn, statement, args, each)
}

func (e *mysqlEngine) exec(ctx context.Context, statement string, args []any) (int64, error) {
	return affected(e.conn.ExecContext(ctx, statement, args...))
}

func (e *mysqlEngine) inspect(ctx context.Context, prefix string) ([]Table, []stage.Loss, error) {
	st, err := e.server.Inspect(ctx, prefix)
	if err != nil {
		return nil, nil, err
	}
	var tables []Table
	for _, t := range st.Tables {
		tables = append(tables, Table{Table: t.Table, Rows: t.Rows, Bytes: t.Bytes, Storage: t.Engine})
	}
	return tables, st.Losses, nil
}

func (e *mysqlEngine) site(ctx context.Context, prefix string) (moodle.Site, error) {
	st, err := e.server.Inspect(ctx, prefix)
	if err != nil {
		return moodle.Site{}, err
	}
	return st.Site(ctx, e.conn)
}

func (e *mysqlEngine) location(ctx context.Context) (string, error) { return e.server.Location(ctx) }

func (e *mysqlEngine) close(context.Context) error {
	return errors.Join(e.conn.Close(), e.server.Close())
}

// scan calls each for the rows of a statement. All values are scanned as text.
func scan(ctx context.Context, conn *sql.Conn, statement string, args []any, each func([]Text) error) (err error) {
	rows, err := conn.QueryContext(ctx, statement, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	row := make([]Text, len(columns))
	to := make([]any, len(row))
	for i := range row {
		to[i] = &row[i]
	}
	for rows.Next() {
		if err := rows.Scan(to...); err != nil {
			return err
		}
		if err := each(row); err != nil {
			return err
		}
	}
	return rows.Err()
}

func affected(r sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}
