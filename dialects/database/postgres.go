package database

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/postgres"
)

type postgresEngine struct{ conn *postgres.Conn }

func openPostgres(ctx context.Context, a *Address) (engine, error) {
	c := postgres.Connection{DSN: a.DSN, Prefix: a.Prefix, Schema: a.Schema, LockTimeout: config.Duration(30 * time.Second)}
	conn, err := c.Open(ctx)
	if err != nil {
		return nil, err
	}
	return &postgresEngine{conn}, nil
}

func (e *postgresEngine) dialect() string { return postgres.Dialect }
func (e *postgresEngine) product() string { return "PostgreSQL " + e.conn.Release }
func (e *postgresEngine) address() string { return e.conn.Address }

// quote leaves the schema out: it is the session's search path.
func (e *postgresEngine) quote(name string) string { return postgres.Ident(name) }

// arguments returns a statement with $1 in place of ?, and what makes the server read all
// values as literals of unknown type, as the other engines do.
func arguments(statement string, args []any) (string, []any) {
	var b strings.Builder
	parts := strings.Split(statement, "?")
	for i, part := range parts {
		if i > 0 {
			b.WriteString("$" + strconv.Itoa(i))
		}
		b.WriteString(part)
	}
	return b.String(), append([]any{pgx.QueryExecModeSimpleProtocol}, args...)
}

func (e *postgresEngine) query(ctx context.Context, statement string, args []any, each func([]Text) error) error {
	statement, args = arguments(statement, args)
	rows, err := e.conn.Query(ctx, statement, args...)
	if err != nil {
		return e.conn.Explain(err, "reading")
	}
	defer rows.Close()
	var row []Text
	for rows.Next() {
		values := rows.RawValues()
		row = row[:0]
		for _, v := range values {
			row = append(row, Text{String: string(v), Valid: v != nil})
		}
		if err := each(row); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return e.conn.Explain(err, "reading")
	}
	return nil
}

func (e *postgresEngine) exec(ctx context.Context, statement string, args []any) (int64, error) {
	statement, args = arguments(statement, args)
	tag, err := e.conn.Exec(ctx, statement, args...)
	if err != nil {
		return 0, e.conn.Explain(err, "writing")
	}
	return tag.RowsAffected(), nil
}

func (e *postgresEngine) inspect(ctx context.Context, _ string) ([]Table, []stage.Loss, error) {
	list, err := e.conn.List(ctx)
	if err != nil {
		return nil, nil, err
	}
	catalog, err := e.conn.Inspect(ctx, list)
	if err != nil {
		return nil, nil, err
	}
	var tables []Table
	for _, t := range catalog.Tables {
		tables = append(tables, Table{Table: t.Table, Rows: t.Rows, Bytes: t.Bytes})
	}
	return tables, catalog.Losses, nil
}

func (e *postgresEngine) site(ctx context.Context, _ string) (moodle.Site, error) {
	list, err := e.conn.List(ctx)
	if err != nil {
		return moodle.Site{}, err
	}
	return e.conn.MoodleSite(ctx, list)
}

func (e *postgresEngine) location(ctx context.Context) (string, error) { return e.conn.Location(ctx) }

func (e *postgresEngine) close(ctx context.Context) error { return e.conn.Close(ctx) }
